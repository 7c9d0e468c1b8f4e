"""The console at the end of a pipe."""

import asyncio
import io
import os
from datetime import timedelta

import pytest

from bot.errors import TransientError
from bot.model import MessageKind
from connectors.tmux.plain import PlainConsole
from tests.integration.console.door import Door, message
from tests.waiting import until


async def test_lines_are_said_and_the_end_comes_with_the_last_answer(door: Door) -> None:
    out = io.StringIO()
    console = PlainConsole(door.path, io.StringIO("!help\n\n  hello  \n"), out)
    running = asyncio.create_task(console.run())
    await until(lambda: len(door.ledger.events) == 2)
    first, second = (event.event_id for event in door.ledger.events)
    await door.connector.send(message("👀", first, kind=MessageKind.REACTION))
    await door.connector.send(message("of nobody's line", "e0"))
    await door.connector.send(message("help \x1b[1mtext", first))
    assert not running.done()
    answer = message("hi", second, kind=MessageKind.ANSWER, author="agent:host/orchestrator")
    await door.connector.send(answer)
    await running
    assert door.ledger.texts() == ["!help", "hello"]
    assert out.getvalue() == "help text\norchestrator: hi\n"


async def test_a_daemon_that_stays_silent_is_waited_for_only_so_long(door: Door) -> None:
    console = PlainConsole(
        door.path, io.StringIO("hello\n"), io.StringIO(), timedelta(milliseconds=100)
    )
    with pytest.raises(TransientError, match=r"no answer to 1 of the lines within 0\.1 s"):
        await console.run()


async def test_a_refused_line_is_reported_and_counts_as_answered(door: Door) -> None:
    out = io.StringIO()
    await PlainConsole(door.path, io.StringIO("x" * 200_001), out).run()
    assert out.getvalue().startswith("not taken: ")


async def test_a_source_that_never_ends_keeps_nobody_from_leaving(door: Door) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as source, os.fdopen(writing, "w") as person:
        running = asyncio.create_task(PlainConsole(door.path, source, io.StringIO()).run())
        await door.attached(1)
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()
        person.close()
