"""What is asked before something is said: who may, what could be meant; nobody else learns anything."""

from collections.abc import Sequence

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Subject
from bot.command.grammar import Parameter
from bot.command.lobby import MOST, Lobby, Suggestion
from bot.errors import UsageError
from bot.model import Address, Principal, Role
from bot.policy import Access, Policy
from bot.wiring.topics import TOPICS
from tests.fakes.mailroom import Room
from tests.fakes.offers import MemoryOffers

OPS, ELSEWHERE = Address("discord", "1"), Address("discord", "2")
PEOPLE = {
    Role.OPERATOR: Principal("discord:10", "ann"),
    Role.MEMBER: Principal("discord:20", "mo"),
    Role.STRANGER: Principal("discord:30", "eve"),
}
ACCESS = Access(frozenset({"discord:10"}), frozenset({"discord:20"}), frozenset({"discord:1"}))
CATALOG = Catalog([object.__new__(topic) for topic in TOPICS])
NAMED = [
    (command.name, parameter)
    for command in CATALOG.commands.values()
    for parameter in command.grammar.parameters
    if parameter.names is not None
]


async def _everything(_command: str, begun: str) -> Sequence[Suggestion]:
    return [Suggestion(f"{begun}{number}", f"number {number}") for number in range(40)]


def make_lobby() -> Lobby:
    grants = {command.name: command.roles for command in CATALOG.commands.values()}
    policy = Policy(ACCESS, grants)
    sources = dict.fromkeys(Subject, _everything)
    return Lobby(lambda: CATALOG, lambda: policy, MemoryOffers(Room()), sources)


def test_cards_agents_personas_and_system_types_are_named_somewhere() -> None:
    assert {parameter.names for _, parameter in NAMED} == set(Subject)


@pytest.mark.parametrize(("name", "parameter"), NAMED, ids=[f"{n} {p.name}" for n, p in NAMED])
async def test_who_may_run_a_command_is_suggested_its_arguments_and_nobody_else(
    name: str, parameter: Parameter
) -> None:
    lobby, command = make_lobby(), CATALOG.commands[name]
    for role, who in PEOPLE.items():
        found = await lobby.suggest(who, OPS, command, parameter, "x")
        assert len(found) == (MOST if role in command.roles else 0)
        assert await lobby.suggest(who, ELSEWHERE, command, parameter, "x") == ()


async def test_what_names_nothing_is_suggested_nothing() -> None:
    command = CATALOG.commands["backlog create"]
    for parameter in command.grammar.parameters:
        if parameter.names is None:
            found = await make_lobby().suggest(PEOPLE[Role.OPERATOR], OPS, command, parameter, "")
            assert found == ()


async def test_of_a_list_its_last_item_is_suggested() -> None:
    command = CATALOG.commands["backlog create"]
    (parameter,) = (one for one in command.grammar.parameters if one.name == "depends_on")
    found = await make_lobby().suggest(PEOPLE[Role.OPERATOR], OPS, command, parameter, "A1, b")
    assert (found[0].value, found[0].label) == ("A1,b0", "A1,number 0")


def test_an_answer_is_private_when_its_command_is_or_when_it_is_a_refusal() -> None:
    lobby = make_lobby()
    claim, listing = CATALOG.commands["backlog claim"], CATALOG.commands["backlog list"]
    assert lobby.leave(PEOPLE[Role.OPERATOR], claim, OPS).is_private
    assert not lobby.leave(PEOPLE[Role.MEMBER], listing, OPS).is_private
    refused = lobby.leave(PEOPLE[Role.STRANGER], listing, OPS)
    assert (refused.decision.allowed, refused.is_private) == (False, True)


def test_what_a_line_begins_is_found_with_what_it_gives() -> None:
    lobby = make_lobby()
    command, given = lobby.find('agent answer "coder0"')
    assert (command.name, given) == ("agent answer", {"name": "coder0"})
    with pytest.raises(UsageError):
        lobby.find("no such thing")
