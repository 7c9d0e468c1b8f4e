"""The console as a person sees it, in a real terminal."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.model import MessageKind
from bot.render.rendering import render
from bot.reply import Table
from tests.integration.console.door import Door, message
from tests.integration.console.terminal import Terminal
from tests.waiting import until

ARROW = "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}"


@pytest.fixture
async def terminal(door: Door) -> AsyncIterator[Terminal]:
    terminal = Terminal(door.path)
    try:
        await terminal.shows("connected")
        yield terminal
    finally:
        await asyncio.to_thread(terminal.close)


async def said(door: Door, count: int = 1) -> str:
    """Wait until that many lines were said; return the last one's event id."""
    await until(lambda: len(door.ledger.events) >= count, what=f"{count} lines")
    return door.ledger.events[-1].event_id


async def test_a_line_gets_its_mark_beside_it_and_its_answer_below(
    door: Door, terminal: Terminal
) -> None:
    assert "!help" in terminal.screen()
    terminal.say("!backlog list")
    event_id = await said(door)
    await door.connector.send(message("👀", event_id, kind=MessageKind.REACTION))
    assert "👀" in terminal.row(f"{ARROW} !backlog list")
    (part,) = render([Table(("id", "status"), (("A1", "ready"),))], 9_000)
    await door.connector.send(message(part.text, event_id))
    await door.connector.send(message("✅", event_id, kind=MessageKind.REACTION))
    rows = terminal.screen().splitlines()
    line = next(number for number, row in enumerate(rows) if f"{ARROW} !backlog list" in row)
    assert "✅" in rows[line]
    assert "👀" not in rows[line]
    assert [row.split() for row in rows[line + 1 : line + 4]] == [
        ["id", "status"],
        ["──", "──────"],
        ["A1", "ready"],
    ]


async def test_the_daemon_may_go_and_come_back(door: Door, terminal: Terminal) -> None:
    terminal.say("before")
    await door.connector.send(message("once", await said(door)))
    await door.close()
    await terminal.shows("daemon away… reconnecting")
    terminal.say("meanwhile")
    await terminal.shows("1 waiting to be sent")
    await door.restart()
    await said(door, 2)
    await terminal.shows("the daemon is back")
    assert door.ledger.texts() == ["before", "meanwhile"]
    assert terminal.screen().count("once") == 1


async def test_an_agent_answers_under_its_name_and_a_thread_has_a_margin(
    door: Door, terminal: Terminal
) -> None:
    terminal.say("hello")
    event_id = await said(door)
    author = "agent:host/orchestrator"
    await door.connector.send(
        message("*hi* there", event_id, kind=MessageKind.ANSWER, author=author)
    )
    assert terminal.row("● orchestrator")
    assert terminal.row("  hi there")
    terminal.press("C-t")
    await terminal.shows(f"┊ {ARROW}")
    terminal.say("more of it")
    await said(door, 2)
    assert door.ledger.events[-1].source.thread == event_id
    assert await terminal.shows(f"┊ {ARROW} more of it")


async def test_tab_completes_command_names(door: Door, terminal: Terminal) -> None:
    terminal.type("!backlog c")
    await terminal.shows("Make a card")
    terminal.press("Tab")
    await terminal.shows(f"{ARROW} !backlog create")
    terminal.press("Enter")
    await said(door)
    assert door.ledger.texts() == ["!backlog create"]


async def test_hostile_words_do_not_reach_the_terminal(door: Door, terminal: Terminal) -> None:
    terminal.say("hello")
    event_id = await said(door)
    await door.connector.send(message("a\x1b[2Jb\x1b]0;owned\x07c\x9b1Ad", event_id))
    assert terminal.row("abc1Ad")
    assert terminal.row(f"{ARROW} hello")


async def test_control_c_clears_the_line_first_and_then_leaves(terminal: Terminal) -> None:
    terminal.type("half a thought")
    await terminal.shows(f"{ARROW} half a thought")
    terminal.press("C-c")
    await until(lambda: not terminal.row("half a thought"))
    terminal.press("C-c")
    await terminal.shows("left with 0")
    assert terminal.row("the fleet goes on")


async def test_control_d_leaves(terminal: Terminal) -> None:
    terminal.press("C-d")
    await terminal.shows("left with 0")
