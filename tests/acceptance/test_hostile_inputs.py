"""Whatever is said, through whatever face: an answer or a clear error, and a daemon that is unharmed."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import nio
import pytest

from tests.acceptance.hostile import EVENTS, FRAMES, REQUESTS, TEXTS
from tests.stages.console import Console, console, line_to, next_frame
from tests.stages.room import PATIENCE, OpsRoom
from tests.waiting import until

UNFAIR = re.compile(r"Traceback|something went wrong|reference [0-9a-f]{8}")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]|[\u202a-\u202e\u2066-\u2069]")
TAGS = {"p", "br", "pre", "code", "table", "thead", "tbody", "tr", "th", "td", "a", "em", "strong"}
TAGS |= {"ul", "ol", "li", "blockquote", "hr", "del", "h1", "h2", "h3", "h4", "h5", "h6"}
TOO_LARGE = {"two hundred thousand"}
NO_TEXT = {"half a surrogate pair", "half a pair in a command"}
UNANSWERED = {"a thing never said", "a number beyond all parts"}
NUMBERS = {name: number for number, name in enumerate(TEXTS)}
AS_ARGUMENT = [name for name, text in TEXTS.items() if "\0" not in text and name not in TOO_LARGE]


def check_words(words: str) -> None:
    """Insist that words are fit to be shown to a person."""
    assert words.strip()
    assert not UNFAIR.search(words)
    assert not CONTROL.search(words), ascii(words)


def check_document(document: dict[str, Any]) -> None:
    """Insist that an answer over HTTP is a reply, or an error in words."""
    if "error" not in document:
        assert set(document) == {"data", "blocks"}
        return
    assert set(document["error"]) == {"code", "message", "hint"}
    assert document["error"]["code"] not in {"bug", "failed"}
    check_words(document["error"]["message"])


def as_command(name: str) -> str:
    """Return a text as it stands if it is a command, else as the argument of one."""
    text = TEXTS[name]
    return text if text[1:2].isalpha() and text[0] == "!" else f"!backlog show {text}"


# -- chat, and what is typed into the agent's pane -----------------------------------------------------


@pytest.fixture(scope="module")
async def said(room: OpsRoom) -> dict[str, str]:
    """Every text as Ann said it in the room: its event's id, or nothing when the homeserver refused it."""
    found: dict[str, str] = {}
    for name, text in TEXTS.items():
        content = {"msgtype": "m.text", "body": text}
        answer = await room.ann.client.room_send(room.room_id, "m.room.message", content)
        if isinstance(answer, nio.RoomSendResponse):
            found[name] = answer.event_id
    return found


@pytest.mark.parametrize("name", TEXTS)
async def test_in_chat_it_is_answered(room: OpsRoom, said: dict[str, str], name: str) -> None:
    if name not in said:
        assert name in TOO_LARGE | NO_TEXT, "the homeserver took it from others"
        return
    outcome = await room.handled(said[name])
    if not TEXTS[name].replace("\x00", "").strip():
        assert outcome == "ignored"
        return
    assert outcome in {"done", "failed"}
    await room.answer(said[name])
    for content in room.answers(said[name]):
        check_words(content["body"])
        assert set(content["m.mentions"]) <= {"user_ids"}
        assert set(content["m.mentions"].get("user_ids", ())) <= {room.ann.user_id}
        markup = content.get("formatted_body", "")
        assert {tag.lower() for tag in re.findall(r"<\s*/?\s*([^\s<>/]+)", markup)} <= TAGS
        assert all(re.match("https?:|ftp:|mailto:", a) for a in re.findall('href="(.*?)"', markup))


@pytest.mark.parametrize("name", EVENTS)
async def test_an_odd_event_in_the_room_runs_nothing(room: OpsRoom, name: str) -> None:
    event_type, content = EVENTS[name]
    answer = await room.ann.client.room_send(room.room_id, event_type, content)
    assert "❌" not in await room.ask("!status"), "what comes after it is handled"
    if isinstance(answer, nio.RoomSendResponse) and "stats" not in str(content):
        assert not [c for c in room.answers(answer.event_id) if "edit" not in c["body"]]


async def test_every_text_reached_the_agent_once_and_whole(
    room: OpsRoom, said: dict[str, str]
) -> None:
    events = room.installation.agent_events("orchestrator")
    typed = [event["text"] for event in events if event["event"] == "submitted"]
    ids = [text.splitlines()[0].rpartition("| id ")[2].rstrip("]") for text in typed]
    assert typed
    assert set(Counter(ids).values()) == {1}
    for text, message_id in zip(typed, ids, strict=True):
        assert text.endswith(f"\n[end {message_id}]")
        assert not CONTROL.search(
            text.replace("\u202e", "").translate(dict.fromkeys(range(0x202A, 0x206A)))
        )


# -- the console ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def desk(room: OpsRoom) -> AsyncIterator[Console]:
    async with console(room.installation.api_socket) as found:
        yield found


@pytest.mark.parametrize("name", TEXTS)
async def test_in_the_console_it_is_answered(desk: Console, name: str) -> None:
    frame = await desk.ask(as_command(name))
    check_words(frame.get("text") or frame["reason"])


async def test_two_hundred_thousand_characters_go_to_the_agent_and_come_back_as_one_line(
    desk: Console,
) -> None:
    frame = await desk.ask(TEXTS["two hundred thousand"])
    assert frame["text"].startswith("dogfood orchestrator: long long")
    assert len(frame["text"]) < 120


@pytest.mark.parametrize("name", FRAMES)
async def test_an_odd_frame_is_refused_in_words(room: OpsRoom, name: str) -> None:
    async with line_to(room.installation.api_socket) as socket:
        frame = FRAMES[name]
        await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
        if name not in UNANSWERED:
            refused = await next_frame(socket)
            assert refused["frame"] == "refused"
            check_words(refused["reason"])
        await socket.send_json({"frame": "hello", "client_id": "still here"})
        assert (await next_frame(socket))["frame"] == "status"


async def test_a_pipe_into_chat_is_answered_whatever_comes_through_it(room: OpsRoom) -> None:
    lines = [as_command(name).replace("\n", " ").replace("\r", " ") for name in TEXTS]
    spoken = "\n".join(lines).encode("utf-8", "surrogatepass")
    ended = await room.installation.mosaic("chat", stdin=spoken, limit=120)
    assert (ended.status, ended.err) == (0, "")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", ended.out)
    assert not UNFAIR.search(ended.out)


# -- the command line ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", AS_ARGUMENT)
async def test_on_the_command_line_it_is_done_or_refused(room: OpsRoom, name: str) -> None:
    text, card = TEXTS[name].encode("utf-8", "surrogatepass"), f"C{NUMBERS[name]}"
    ended = await room.installation.mosaic("backlog", "create", "--id", card, "--title", text)
    assert ended.status in {0, 1, 2}
    assert bool(ended.err) == bool(ended.status)
    check_words(ended.err or ended.out)
    if ended.status == 0:
        shown = (await room.installation.mosaic("backlog", "show", card, "--json")).data
        assert shown["title"] == TEXTS[name].strip()


async def test_two_hundred_thousand_bytes_of_arguments_are_refused(room: OpsRoom) -> None:
    ended = await room.installation.mosaic("backlog", "create", *["long"] * 40_000)
    assert ended.status == 2
    check_words(ended.err)
    assert len(ended.err) < 1000


# -- HTTP ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def http(room: OpsRoom) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.UnixConnector(str(room.installation.api_socket))
    async with aiohttp.ClientSession("http://mosaic", connector=connector) as session:
        yield session


@pytest.mark.parametrize("name", TEXTS)
async def test_over_http_it_is_done_or_refused(http: aiohttp.ClientSession, name: str) -> None:
    words = ["backlog", "create", "--id", f"H{NUMBERS[name]}", "--title", TEXTS[name]]
    for path, body in (("run", {"words": words}), ("commands/backlog/show", {"id": TEXTS[name]})):
        async with http.post(f"/v1/{path}", json=body) as answer:
            document = json.loads(await answer.read())
        assert answer.status == 200 or 400 <= answer.status < 500
        check_document(document)


@pytest.mark.parametrize("name", REQUESTS)
async def test_a_malformed_request_is_refused(
    room: OpsRoom, http: aiohttp.ClientSession, name: str
) -> None:
    reader, writer = await asyncio.open_unix_connection(str(room.installation.api_socket))
    try:
        writer.write(REQUESTS[name])
        writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
    except ConnectionError:
        answer = b""
    finally:
        writer.close()
    assert b"Traceback" not in answer
    assert not re.match(rb"HTTP/1.[01] 5", answer)
    async with http.get("/v1/health") as health:
        assert health.status == 200


# -- at the end ----------------------------------------------------------------------------------------


async def test_after_all_of_it_the_daemon_and_the_fleet_are_unharmed(room: OpsRoom) -> None:
    installation = room.installation
    starts = [e for e in installation.entries() if e["event"] == "starting"]
    assert [entry["pid"] for entry in starts] == [installation.pid]
    assert installation.bugs() == []
    await room.steady()
    launched = [e for e in installation.entries() if e["event"] == "agent started"]
    assert await installation.agent_pids() == {e["agent"]: e["pid"] for e in launched}
    assert len(launched) == 2
    assert await room.ask("still here?") == "dogfood orchestrator: still here?"

    async def available() -> bool:
        rows = (await installation.mosaic("fleet", "ps", "--json")).data
        return [row["readiness"] for row in rows] == ["available", "available"]

    await until(available, PATIENCE, "both agents to be available")
