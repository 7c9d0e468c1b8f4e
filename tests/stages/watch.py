"""Looking at a real agent program until it is ready, and reading what it says of its turns."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from fleet.turns.events import read_events
from fleet.watch.announcements import Dialog
from fleet.watch.lookout import Lookout
from tests.stages.host import Stage
from tests.waiting import until

START_SECONDS = 60.0
COUNTS = pytest.StashKey[dict[str, "Counter[str]"]]()
"""What became of the messages of each program, to be shown when all tests are over."""


class Watch:
    """The lookout, looking as often as it is asked."""

    def __init__(self, stage: Stage) -> None:
        self.dialogs: list[Dialog] = []
        self.stage = stage
        self.lookout = Lookout(stage.fleet, self.dialogs.append, timedelta(0))

    async def readiness(self, name: str) -> tuple[str, str]:
        await self.lookout.look()
        records = {record.name: record for record in await self.stage.fleet.observe()}
        return records[name].readiness, records[name].evidence

    async def until_available(self, name: str) -> None:
        async def available() -> bool:
            await asyncio.sleep(0)
            return (await self.readiness(name))[0] == "available"

        try:
            await until(available, START_SECONDS, f"{name} available")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{await self.stage.rows(name)}") from error


def answer_to(stage: Stage, runtime: str, message_id: str) -> str | None:
    """Return what a program's own words say that it answered to a message."""
    events = read_events(stage.fleet.places.events_file(runtime), 0).events
    ends = [one for one in events if one.event == "turn_ended" and message_id in one.message_ids]
    return ends[0].answer if ends else None
