"""Consoles and the daemon over a real socket."""

import asyncio
from datetime import timedelta

import aiohttp.web
import pytest

from bot.errors import TransientError, UserError
from bot.model import MessageKind, Principal, ReceiptState
from connectors.tmux.client import ConsoleClient
from connectors.tmux.connector import PLACE, TmuxConnector
from connectors.tmux.frames import LONGEST, Typing
from tests.fakes.console_server import OPERATOR
from tests.integration.console.door import QUICK, Door, ScriptedLine, message, watching
from tests.waiting import until


async def test_without_a_console_a_message_is_to_be_tried_again(door: Door) -> None:
    with pytest.raises(TransientError, match="no console is attached"):
        await door.connector.send(message("x"))


async def test_a_message_is_accepted_when_a_console_says_that_it_shows_it(door: Door) -> None:
    async with watching(door) as console:
        result = await door.connector.send(message("hello"))
        assert result.state is ReceiptState.ACCEPTED
        assert result.evidence["client_id"] == console.client.client_id
        assert console.said == ["hello"]


async def test_a_console_that_shows_nothing_does_not_count() -> None:
    connector, line = TmuxConnector(patience=timedelta(milliseconds=50)), ScriptedLine()
    attending = asyncio.create_task(connector.attend(OPERATOR, line))
    line.send(frame="hello", client_id="c")
    await until(line.kinds)
    with pytest.raises(TransientError, match=r"no console showed the message within 0\.05 s"):
        await connector.send(message("x"))
    assert line.kinds() == ["status", "message"]
    line.hang_up()
    await attending


async def test_a_message_tried_again_is_shown_once_and_acknowledged_again(door: Door) -> None:
    async with watching(door) as console:
        repeated = message("once")
        await door.connector.send(repeated)
        await door.restart()
        await until(lambda: console.client.connected)
        await door.attached(1)
        assert (await door.connector.send(repeated)).state is ReceiptState.ACCEPTED
        assert console.said == ["once"]


async def test_every_console_shows_what_is_said_and_one_answer_is_enough(door: Door) -> None:
    async with watching(door) as first, watching(door) as second:
        await door.attached(2)
        await door.connector.send(message("to all"))
        await until(lambda: first.said == second.said == ["to all"])


async def test_what_one_person_says_is_seen_in_the_other_console(door: Door) -> None:
    async with watching(door) as first, watching(door) as second:
        await door.attached(2)
        first.client.say("hello")
        await until(lambda: second.spoken == ["hello"])
        assert first.spoken == []


async def test_who_comes_later_sees_what_was_said_before(door: Door) -> None:
    async with watching(door) as early:
        event_id = early.client.say("!help")
        await door.ledger.arrival(event_id)
        await door.connector.send(message("help text", event_id))
        await door.connector.send(message("✅", event_id, kind=MessageKind.REACTION))
        async with watching(door) as late:
            await until(lambda: late.marks)
            assert (late.spoken, late.said, late.marks) == (["!help"], ["help text"], ["✅"])
            assert early.said == ["help text"]


async def test_lines_said_while_the_daemon_is_away_arrive_once_and_in_order(door: Door) -> None:
    async with watching(door) as console:
        await door.ledger.arrival(console.client.say("before"))
        await door.close()
        await until(lambda: not console.client.connected)
        missed = [console.client.say(f"missed {number}") for number in range(5)]
        await door.open()
        await door.ledger.arrival(missed[-1])
        await until(lambda: console.client.untaken == 0)
    assert door.ledger.texts() == ["before", *(f"missed {number}" for number in range(5))]


async def test_a_line_is_taken_only_after_it_was_stored(door: Door) -> None:
    async with watching(door) as console:
        await door.ledger.arrival(console.client.say("first"))
        await until(lambda: console.client.untaken == 0)
        door.ledger.faults = 1_000
        event_id = console.client.say("second")
        await until(lambda: door.ledger.faults < 1_000)
        assert console.client.untaken == 1
        door.ledger.faults = 0
        await door.ledger.arrival(event_id)
        await until(lambda: console.client.untaken == 0)


async def test_a_line_sent_twice_is_handled_once(door: Door) -> None:
    line = ScriptedLine()
    attending = asyncio.create_task(door.connector.attend(OPERATOR, line))
    line.send(frame="hello", client_id="c")
    for _ in range(2):
        line.send(frame="line", event_id="e1", text="!fleet stop")
    await until(lambda: line.kinds().count("taken") == 2)
    assert door.ledger.texts() == ["!fleet stop"]
    line.hang_up()
    await attending


async def test_the_sender_is_who_attended_and_never_what_a_frame_says(door: Door) -> None:
    line, agent = ScriptedLine(), Principal("agent:host/coder0", "coder0")
    attending = asyncio.create_task(door.connector.attend(agent, line))
    line.send(frame="hello", client_id="c", principal="local:0")
    line.send(frame="line", event_id="e1", text="hi", sender="local:0", author="root")
    assert (await door.ledger.arrival("e1")).sender == agent
    line.hang_up()
    await attending


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({}, "discriminator"),
        ({"frame": "nonsense"}, "nonsense"),
        ({"frame": "line", "event_id": "e", "text": ""}, "text"),
        ({"frame": "line", "event_id": "e", "text": " \x00\n"}, "nothing in it"),
        ({"frame": "line", "event_id": "e", "text": "x" * (LONGEST + 1)}, "at most 200000"),
        ({"frame": "line", "event_id": "e" * 300, "text": "x"}, "event_id"),
        ({"frame": "line", "event_id": ["e"], "text": "x"}, "event_id"),
        ({"frame": "shown", "message_id": "m", "part": -1}, "part"),
        ({"frame": "hello", "client_id": "", "seen": "all"}, "client_id"),
    ],
)
async def test_a_frame_that_makes_no_sense_is_refused_with_its_fault(
    door: Door, frame: dict[str, object], reason: str
) -> None:
    line = ScriptedLine()
    attending = asyncio.create_task(door.connector.attend(OPERATOR, line))
    line.send(frame="hello", client_id="c")
    line.send(**frame)
    line.send(frame="line", event_id="after", text="still here")
    await door.ledger.arrival("after")
    refusals = [one["reason"] for one in line.pushed if one["frame"] == "refused"]
    assert len(refusals) == 1
    assert reason in refusals[0]
    line.hang_up()
    await attending


async def test_nobody_is_heard_before_hello(door: Door) -> None:
    line = ScriptedLine()
    attending = asyncio.create_task(door.connector.attend(OPERATOR, line))
    line.send(frame="line", event_id="e1", text="!fleet stop")
    line.hang_up()
    await attending
    assert door.ledger.texts() == []


async def test_a_console_that_stops_reading_is_hung_up_on_and_delays_nobody(door: Door) -> None:
    line = ScriptedLine()
    attending = asyncio.create_task(door.connector.attend(OPERATOR, line))
    line.send(frame="hello", client_id="c")
    await until(line.kinds)
    line.flowing.clear()
    async with watching(door) as console:
        await door.attached(2)
        assert (await door.connector.send(message("x"))).state is ReceiptState.ACCEPTED
        for _ in range(2_100):
            await door.connector.typing(PLACE, active=True)
        await attending
        await until(lambda: console.said)


async def test_work_is_shown_and_ends(door: Door) -> None:
    async with watching(door) as console:
        await door.connector.typing(PLACE, active=True)
        await door.connector.typing(PLACE, active=False)
        await until(
            lambda: [x.active for x in console.frames if isinstance(x, Typing)] == [True, False]
        )


@pytest.mark.parametrize("text", ["\x00 ", "x" * (LONGEST + 1)])
async def test_a_line_that_cannot_be_taken_is_refused_before_it_is_sent(
    door: Door, text: str
) -> None:
    async with watching(door) as console:
        with pytest.raises(UserError, match="the line"):
            console.client.say(text)
        assert console.client.untaken == 0


async def test_half_a_surrogate_does_not_break_the_line(door: Door) -> None:
    async with watching(door) as console:
        event = await door.ledger.arrival(console.client.say("a\udcffb"))
    assert event.text == "a\N{REPLACEMENT CHARACTER}b"


async def test_a_console_that_may_not_come_in_gives_up(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("s") / "s"

    async def refuse(_request: aiohttp.web.BaseRequest) -> aiohttp.web.Response:
        return aiohttp.web.Response(status=403)

    runner = aiohttp.web.ServerRunner(aiohttp.web.Server(refuse))
    await runner.setup()
    await aiohttp.web.UnixSite(runner, str(path)).start()
    shown: list[object] = []

    async def show(frame: object) -> None:
        shown.append(frame)

    with pytest.raises(UserError, match="does not let this console in"):
        await ConsoleClient(path, show, backoff=QUICK).run()
    await runner.cleanup()
    assert shown == []
