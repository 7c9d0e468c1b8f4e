"""The kill switch as a file: made by touch, lifted by removing it, removed by a resume."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from bot.errors import SetupError
from bot.model import Principal
from fleet.host.pause_file import PauseFile
from tests.fakes.pauses import MemoryPauses
from tests.waiting import until

ANN = Principal("matrix:@ann:example.org", "Ann")


class Switch:
    """The file, and the part that watches it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pauses = MemoryPauses()
        self.details: list[str] = []
        self.task: asyncio.Task[None] | None = None

    async def watch(self) -> None:
        part = PauseFile(self.path, "east", self.pauses)
        self.task = asyncio.create_task(part.run(self.details.append))
        await until(lambda: self.details)

    async def close(self) -> None:
        if self.task is not None:
            self.task.cancel()
            with suppress(asyncio.CancelledError):
                await self.task

    def says(self) -> tuple[str, str | None] | None:
        pause = self.pauses.strictest()
        return None if pause is None else (pause.by, pause.reason)


@pytest.fixture
async def switch(tmp_path: Path) -> AsyncIterator[Switch]:
    found = Switch(tmp_path / "PAUSED")
    yield found
    await found.close()


async def test_a_file_that_is_touched_pauses_and_lifts_when_it_goes(switch: Switch) -> None:
    await switch.watch()
    assert switch.says() is None
    switch.path.touch()
    await until(lambda: switch.says() == ("file:east", None))
    switch.path.unlink()
    await until(lambda: switch.says() is None)


async def test_its_first_line_is_the_reason_and_holds_no_control_characters(switch: Switch) -> None:
    await switch.watch()
    switch.path.write_bytes(b"  back\x1b[31mup \xff" + b"x" * 3000 + b"\nmore\n")
    await until(switch.says)
    reason = (switch.says() or ("", None))[1] or ""
    assert reason.startswith("back[31mup \ufffdxxx")
    assert len(reason) == 500
    switch.path.write_text("lunch\n")
    await until(lambda: switch.says() == ("file:east", "lunch"))


async def test_a_resume_removes_the_file(switch: Switch) -> None:
    switch.path.touch()
    await switch.watch()
    assert switch.says() is not None, "it was there before the daemon"
    await switch.pauses.resume(ANN)
    await until(lambda: not switch.path.exists())
    assert switch.says() is None
    switch.path.touch()
    await until(switch.says)


async def test_a_file_that_went_while_nobody_looked_lifts_its_pause(switch: Switch) -> None:
    await switch.pauses.mirror("east", "1 1", "an earlier life's")
    await switch.pauses.mirror("west", "1 1", "another host's")
    await switch.watch()
    assert switch.says() == ("file:west", "another host's")


async def test_whatever_bears_the_name_pauses(switch: Switch, tmp_path: Path) -> None:
    await switch.watch()
    switch.path.symlink_to(tmp_path / "nowhere")
    await until(lambda: switch.says() == ("file:east", None))
    switch.path.unlink()
    await until(lambda: switch.says() is None)
    os.mkfifo(switch.path)
    await until(lambda: switch.says() == ("file:east", None))


async def test_one_that_cannot_be_removed_is_told(switch: Switch) -> None:
    switch.path.mkdir()
    await switch.watch()
    await switch.pauses.resume(ANN)
    assert switch.task is not None
    with pytest.raises(SetupError, match="cannot be removed after a resume"):
        await switch.task
    switch.task = None
    assert switch.says() is None
