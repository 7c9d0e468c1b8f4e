"""The bot's token is revoked: Matrix stops, the operators are told elsewhere, and a new token goes on without loss."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import nio
import pytest

from connectors.tmux.client import ConsoleClient
from connectors.tmux.frames import Said
from tests.acceptance.test_broken_parts import console_works, reported
from tests.stages.bad_line import BadLine
from tests.stages.room import PATIENCE, OpsRoom, ops_room
from tests.stages.synapse import Town
from tests.waiting import until


@pytest.fixture(scope="module")
async def line(homeserver: Town) -> AsyncIterator[BadLine]:
    line = BadLine(homeserver.url)
    await line.open()
    yield line
    await line.close()


@pytest.fixture(scope="module")
async def room(home: Path, homeserver: Town, line: BadLine) -> AsyncIterator[OpsRoom]:
    async with ops_room(home, homeserver) as room:
        file = home / "fleet" / "roster.yaml"
        file.write_text(file.read_text(encoding="utf-8").replace(homeserver.url, line.url))
        await room.installation.up()
        yield room


@pytest.fixture
async def console(room: OpsRoom) -> AsyncIterator[list[str]]:
    """What an operator's console shows."""
    shown: list[str] = []

    async def show(frame: object) -> None:
        if isinstance(frame, Said):
            shown.append(frame.text)

    client = ConsoleClient(room.installation.api_socket, show)
    running = asyncio.create_task(client.run())
    await until(lambda: client.connected, PATIENCE, "an attached console")
    yield shown
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_revoked_token_stops_this_part_alone_and_a_new_one_loses_nothing(
    room: OpsRoom, homeserver: Town, line: BadLine, console: list[str]
) -> None:
    installation = room.installation
    await room.ask("!backlog stats")
    await homeserver.client(room.bot).client.logout()
    await reported(installation, "connector.matrix", "stopped", "M_UNKNOWN_TOKEN")
    await console_works(installation)
    await until(
        lambda: [t for t in console if "connector.matrix is stopped" in t], PATIENCE, "it told"
    )
    began = line.strangers[0]
    await until(lambda: line.strangers[-1] - began > 4, PATIENCE, "the next try")
    assert len(line.strangers) < 12, "a person must act: nothing is gained by asking often"

    asked = [await room.say(f"!backlog create --id R{n} --title revoked") for n in range(3)]
    client = nio.AsyncClient(homeserver.url, room.bot.user_id)
    answer = await client.login(room.bot.password)
    await client.close()
    assert isinstance(answer, nio.LoginResponse)
    await installation.down()
    installation.give({"MATRIX_ACCESS_TOKEN": answer.access_token})
    await installation.up()
    for event_id in asked:
        await room.answer(event_id)
        assert len(room.answers(event_id)) == 1
    cards = (await installation.mosaic("backlog", "list", "--json")).data
    assert [card["id"] for card in cards] == ["R0", "R1", "R2"]
    assert room.notices("recovered") == ["recovered 3, lost 0"]
    assert room.bot.token not in installation.log()
    assert installation.bugs() == []
