"""Two agents that answer each other for ever are stopped, and the room is told; it sees what they write."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from tests.stages.room import DEMO, PATIENCE, OpsRoom, ops_room
from tests.stages.synapse import Town
from tests.waiting import until

BUDGET = 4


@pytest.fixture
async def room(tmp_path: Path, homeserver: Town) -> AsyncIterator[OpsRoom]:
    async with ops_room(tmp_path / "home", homeserver, agents=DEMO) as room:
        home = room.installation.home
        settings = (home / "mosaic.toml").read_text()
        room.installation.write_settings(f"{settings}[mail]\nhop_budget = {BUDGET}\n")
        roster = yaml.safe_load((home / "fleet" / "roster.yaml").read_text())
        room.installation.write_roster(roster | {"mirror_mail": True})
        await room.installation.up()
        await room.steady()
        yield room


async def test_a_loop_of_two_agents_stops_at_its_budget_and_the_room_is_told(room: OpsRoom) -> None:
    for name in ("orchestrator", "enhancer"):
        await room.installation.type(name, "/talk")
    sent = await room.installation.mosaic(
        *("agent", "send", "orchestrator", "ask the enhancer", "--json")
    )
    assert sent.status == 0, sent.err
    await until(
        lambda: _submitted(room) == ["ask the enhancer"], PATIENCE, "the first message to arrive"
    )
    orchestrator = room.installation.as_agent("orchestrator")
    assert (await orchestrator.mosaic("agent", "send", "enhancer", "ping")).status == 0

    (told,) = await until(lambda: room.notices("Agents' mail"), PATIENCE, "the room to be told")
    assert f"has had {BUDGET + 1} messages" in told
    texts = [
        *("ping", "dogfood enhancer: ping"),
        "dogfood orchestrator: dogfood enhancer: ping",
        "dogfood enhancer: dogfood orchestrator: dogfood enhancer: ping",
    ]
    await until(lambda: len(room.notices(" | chat | ")) == len(texts), PATIENCE, "the mirror")
    shown = [notice.split("\n\n", 1)[1] for notice in room.notices(" | chat | ")]
    assert shown == texts, "the mirror shows every one of them, and no more were written"
    assert len(texts) == BUDGET


def _submitted(room: OpsRoom) -> list[str]:
    events = room.installation.agent_events("orchestrator")
    return [one["text"].split("\n")[1] for one in events if one["event"] == "submitted"]
