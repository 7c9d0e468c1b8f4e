"""What is suggested while people write: real names, for who may run the command there."""

from collections.abc import AsyncIterator

import pytest
from simcord import MemberActor

from bot.backlog.cards import CardDraft
from bot.model import Caller, Principal, Via
from connectors.discord.touches.interactions import Interactions
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.mailroom import Room
from tests.stages.touches import Heard, Server, a_server, let_in, lobby_of, whole_catalog

ANN = Caller(Principal("discord:1", "ann"), Via.CHAT)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        backlog = MemoryBacklog()
        for card_id, title in (
            ("A1", "paint the shed"),
            ("B2", "mend the roof"),
            ("B3", "x" * 200),
        ):
            await backlog.create(CardDraft(card_id, title=title), ANN)
        face = Interactions(lobby_of(server, whole_catalog(), Room(), backlog))
        await let_in(server, face, Heard().accept)
        yield server


async def suggested(
    server: Server, who: MemberActor, path: str, option: str, begun: str
) -> list[str]:
    found = await who.autocomplete(server.channel, path, option, begun)
    assert all(0 < len(one["name"]) <= 100 for one in found)
    return [one["value"] for one in found]


async def test_cards_are_found_by_id_and_by_title(server: Server) -> None:
    assert await suggested(server, server.ann, "backlog show", "id", "roof") == ["B2"]
    assert (await suggested(server, server.ann, "backlog show", "id", "b"))[:2] == ["B2", "B3"]
    assert set(await suggested(server, server.ann, "backlog show", "id", "")) == {"A1", "B2", "B3"}
    (shown,) = await server.ann.autocomplete(server.channel, "backlog show", "id", "roof")
    assert shown["name"] == "B2 · mend the roof (ready)"


async def test_of_a_list_the_last_one_is_completed(server: Server) -> None:
    found = await suggested(server, server.ann, "backlog create", "depends-on", "A1, roof")
    assert found == ["A1,B2"]


async def test_agents_personas_and_system_types_are_this_installations(server: Server) -> None:
    assert await suggested(server, server.ann, "agent tail", "name", "coder") == ["coder0"]
    assert await suggested(server, server.ann, "agent send", "name", "0") == ["coder0", "critic0"]
    assert "code" in await suggested(server, server.ann, "fleet personas show", "name", "co")
    assert len(await suggested(server, server.ann, "fleet provision", "profile", "")) == 1
    assert await suggested(server, server.ann, "agent tail", "name", "nobody") == []


async def test_who_may_not_run_the_command_is_suggested_nothing(server: Server) -> None:
    assert await suggested(server, server.eve, "backlog show", "id", "") == []
    assert await suggested(server, server.eve, "agent tail", "name", "") == []
    assert await suggested(server, server.mo, "backlog show", "id", "roof") == ["B2"]
    assert await suggested(server, server.mo, "fleet stop", "name", "") == []


async def test_where_no_commands_are_taken_nothing_is_suggested(server: Server) -> None:
    assert await server.ann.autocomplete(server.elsewhere, "backlog show", "id", "roof") == []
