"""`room setup` shows before it does, and `room status` says what is missing."""

import uuid
from typing import Any

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.errors import UsageError, UserError
from bot.model import Address, Caller, Principal, Role, Via
from bot.reply import Fields, Reply, Text
from commands.rooms import RoomCommands
from tests.unit.middle.test_construction import OPS, Site

ANN = Caller(Principal("matrix:@ann:e.org", "ann"), Via.CHAT)


async def ask(site: Site, line: str) -> Reply:
    catalog = Catalog([RoomCommands(site.construction)])
    command, arguments = catalog.find_line(line, split_line(line))
    assert command.roles == {Role.OPERATOR}
    return await catalog.run(
        command, Call(ANN, Address("matrix", OPS), uuid.uuid4().hex), arguments
    )


def words(reply: Reply) -> str:
    return "\n".join(block.text for block in reply.blocks if isinstance(block, Text))


async def test_setup_shows_its_plan_and_one_tap_of_who_asked_does_it() -> None:
    site = Site()
    shown = await ask(site, "room setup")
    assert site.house.made == 0
    (offer,) = shown.offers
    assert (offer.line, offer.chooser) == (
        f"room setup --plan {shown.data['plan']}",
        ANN.principal.id,
    )
    assert "make the space “Fleet”" in words(shown)
    assert f"say `!{offer.line}`" in words(shown)
    done = await ask(site, offer.line)
    assert len(done.data["done"]) == len(shown.data["steps"])
    assert done.data["failed"] == []
    again = await ask(site, "room setup")
    assert (again.data, again.offers) == ({"plan": None, "steps": [], "obstacles": []}, ())
    assert words(again) == "All rooms are as they should be."


@pytest.mark.parametrize(("line", "code"), [("00000000", "other_plan"), ("x", "usage")])
async def test_only_the_plan_that_was_shown_is_done(line: str, code: str) -> None:
    site = Site()
    with pytest.raises((UserError, UsageError)) as refusal:
        await ask(site, f"room setup --plan {line}")
    assert refusal.value.code == code
    assert site.house.made == 0


async def test_status_shows_every_room_and_what_is_missing() -> None:
    site = Site(lacks=frozenset({"pin"}))
    told: Any = (await ask(site, "room status")).data
    assert [(room["role"], room["project"], room["inside"]) for room in told] == [
        ("space", None, False),
        ("ops", None, True),
        ("mail", None, False),
        ("project", "web", False),
    ]
    assert told[1]["missing"][0] == "I have no power for pin in the room for ops"
    assert told[2]["missing"] == ["it is not made yet"]
    await ask(site, f"room setup --plan {(await ask(site, 'room setup')).data['plan']}")
    reply = await ask(site, "room status")
    pairs = [block.pairs for block in reply.blocks if isinstance(block, Fields)]
    assert dict(pairs[2])["missing"] == "nothing"
    assert dict(pairs[2])["mail"] == "Fleet · agents' mail"
