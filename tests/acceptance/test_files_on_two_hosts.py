"""A file that one host's daemon was sent reaches an agent on another host, and one of that agent's comes back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stages.host import new_socket_name
from tests.stages.installation import Installation
from tests.stages.postgres import Tier
from tests.stages.room import PATIENCE, ops_room
from tests.stages.synapse import Town
from tests.waiting import until

AGENTS = [
    {"name": "lead", "class": "orchestrator", "runtime": "dogfood", "host": "alpha"},
    {"name": "coder0", "class": "code", "runtime": "dogfood", "host": "beta"},
]
CONTENT = b"over there\n" * 50_000


@pytest.fixture
async def database_url(server: Tier) -> AsyncIterator[str]:
    """A database that two daemons share."""
    async with server.empty() as target:
        assert target.url is not None
        yield target.url


async def test_a_file_goes_from_host_to_host(
    home: Path, homeserver: Town, database_url: str
) -> None:
    beta = Installation(home.parent / "beta", {"DATABASE_URL": database_url})
    beta.write_settings('[host]\nname = "beta"\n')
    socket = {"socket_name": new_socket_name()}
    beta.write_roster({"version": 1, "tmux": socket, "agents": AGENTS})
    async with ops_room(home, homeserver, agents=AGENTS) as room:
        alpha = room.installation
        shared = {"MOSAIC_HOST_NAME": "alpha", "DATABASE_URL": database_url}
        alpha.give({"MATRIX_ACCESS_TOKEN": room.bot.token, **shared})
        try:
            await alpha.up()
            await beta.up()
            await room.steady()
            await until(lambda: beta.screen("coder0"), PATIENCE, "coder0's prompt")
            await beta.type("coder0", "/enclose")
            sent = await room.ann.send_file(
                room.room_id, "far.txt", CONTENT, caption="@coder0 take it"
            )
            said = "dogfood coder0: take it"
            await until(
                lambda: said in [one["body"] for one in room.answers(sent)], PATIENCE, "the answer"
            )
            assert (beta.home / "fleet/inbox/coder0/far.txt").read_bytes() == CONTENT
            assert not (alpha.home / "fleet/inbox").exists()

            def back() -> list[dict[str, str]]:
                return [e["content"] for e in room.said() if "filename" in e["content"]]

            await until(back, PATIENCE, "the file of the answer")
            assert await room.ann.open_file(back()[0]) == CONTENT
        finally:
            await beta.close()
