"""Every entry point by every role by every command: allowed exactly where it is declared, a stranger nowhere."""

from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from bot.command.declare import Call
from bot.errors import MosaicError
from bot.model import Address, Caller, Role, Via
from bot.policy import ATTEND, BUILT_IN, LIST_COMMANDS, STATUS, STOP
from tests.stages.face import PEOPLE, ROOM, Face

Entry = Callable[[Face, Role, str], Awaitable[bool]]
"""Asks for a command as somebody of a role; returns whether the policy let it pass."""


async def _line(face: Face, role: Role, line: str, source: Address, via: Via) -> bool:
    call = Call(Caller(PEOPLE[role], via), source, "call")
    try:
        await face.interpreter.run_line(line, call)
    except MosaicError as error:
        return error.code != "forbidden"
    return True


async def chat_line(face: Face, role: Role, name: str) -> bool:
    return await _line(face, role, name, ROOM, Via.CHAT)


async def chosen_mark(face: Face, role: Role, name: str) -> bool:
    """A mark that stands for the line; whoever is refused has not used it up."""
    taken: list[str] = []

    async def take() -> None:
        taken.append(name)

    call = Call(Caller(PEOPLE[role], Via.CHAT), ROOM, "call")
    passed = True
    try:
        await face.interpreter.run_line(name, call, before=take)
    except MosaicError as error:
        passed = error.code != "forbidden"
    assert passed or not taken
    return passed


async def console_line(face: Face, role: Role, name: str) -> bool:
    return await _line(face, role, name, Address("tmux", "chat"), Via.CONSOLE)


async def run_by_token(face: Face, role: Role, name: str) -> bool:
    async with face.session(role) as session:
        return await _passes(session.post("/v1/run", json={"words": name.split()}))


async def call_by_token(face: Face, role: Role, name: str) -> bool:
    async with face.session(role) as session:
        return await _passes(session.post(f"/v1/commands/{name.replace(' ', '/')}", json={}))


async def run_by_peer(face: Face, role: Role, name: str) -> bool:
    """The process speaks for itself: as whoever owns the pane it runs below."""
    face.below_pane = PEOPLE[role]
    async with face.session() as session:
        return await _passes(session.post("/v1/run", json={"words": name.split()}))


async def _passes(asking: Awaitable[aiohttp.ClientResponse]) -> bool:
    answer = await asking
    document = await answer.json(content_type=None)
    assert answer.status < 500, document
    return answer.status != 403


ENTRIES = (chat_line, chosen_mark, console_line, run_by_token, call_by_token, run_by_peer)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.__name__)
async def test_a_command_is_open_exactly_to_the_roles_it_declares(face: Face, entry: Entry) -> None:
    wrong = [
        (name, str(role))
        for name, command in face.interpreter.catalog.commands.items()
        for role in Role
        if await entry(face, role, name) is not (role in command.roles)
    ]
    assert wrong == []


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.__name__)
async def test_a_stranger_may_ask_why_and_answer_what_it_was_asked_and_nothing_else(
    face: Face, entry: Entry
) -> None:
    names = list(face.interpreter.catalog.commands)
    allowed = [name for name in names if await entry(face, Role.STRANGER, name)]
    assert allowed == ["why", "confirm", "cancel"]


@pytest.mark.parametrize("role", list(Role))
async def test_a_room_that_is_not_listed_takes_no_command(face: Face, role: Role) -> None:
    elsewhere = Address("matrix", "!private:example.org")
    names = list(face.interpreter.catalog.commands)
    passed = [name for name in names if await _line(face, role, name, elsewhere, Via.CHAT)]
    assert passed == []


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/v1/status", STATUS),
        ("GET", "/v1/commands", LIST_COMMANDS),
        ("GET", "/v1/console", ATTEND),
        ("POST", "/v1/stop", STOP),
    ],
)
@pytest.mark.parametrize("role", list(Role))
async def test_what_the_face_says_of_the_daemon_has_roles_too(
    face: Face, role: Role, method: str, path: str, action: str
) -> None:
    async with face.session(role) as session:
        passed = await _passes(session.request(method, path))
    assert passed is (role in BUILT_IN[action])
    assert not face.stops or role is Role.OPERATOR


async def test_every_refusal_stands_in_the_audit_with_its_rule(face: Face) -> None:
    await run_by_token(face, Role.STRANGER, "backlog list")
    assert [(row["principal_id"], row["rule"]) for row in face.audit.rows] == [
        (PEOPLE["stranger"].id, "stranger-denied")
    ]


async def test_a_process_below_no_pane_is_its_local_user_and_operates(face: Face) -> None:
    async with face.session() as session:
        answer = await session.post("/v1/run", json={"words": ["why"]})
        data = (await answer.json())["data"]
    assert (data["principal"].partition(":")[0], data["role"]) == ("local", "operator")


async def test_a_token_decides_even_below_a_pane(face: Face) -> None:
    face.below_pane = PEOPLE["agent"]
    async with face.session("member") as session:
        answer = await session.post("/v1/run", json={"words": ["why"]})
    assert (await answer.json())["data"]["principal"] == PEOPLE["member"].id


@pytest.mark.parametrize("header", ["Bearer stale", "Bearer ", "Basic YTpi", "stale", ""])
async def test_a_token_that_is_not_known_is_refused_and_never_taken_for_the_local_user(
    face: Face, header: str
) -> None:
    async with face.session() as session:
        answer = await session.get("/v1/status", headers={"Authorization": header})
    assert answer.status == 401
    assert (await answer.json(content_type=None))["error"]["code"] == "unknown_token"
