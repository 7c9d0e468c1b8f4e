"""The console's window on a tmux server of its own."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.errors import SetupError
from connectors.tmux.window import TmuxWindow
from fleet.host.chat_window import ChatWindow
from fleet.tmux.terminal import Terminal
from tests.waiting import until

STAYS = [sys.executable, "-c", "import sys; sys.stdin.read()"]
ENDS = [sys.executable, "-c", "pass"]
QUICK = timedelta(milliseconds=20)


@pytest.fixture
async def tmux() -> AsyncIterator[Terminal]:
    with tempfile.TemporaryDirectory(prefix="mosaic-") as directory:
        environment = {**os.environ, "TMUX_TMPDIR": directory}
        terminal = Terminal("window", environment=environment, owner="test")
        await terminal.ensure_server()
        yield terminal
        await terminal.close_server()


def chat(tmux: Terminal, argv: list[str]) -> ChatWindow:
    return ChatWindow(lambda: tmux, session="mosaic-chat", argv=argv, environment={})


@contextlib.asynccontextmanager
async def running(part: TmuxWindow) -> AsyncIterator[list[str]]:
    said: list[str] = []
    task = asyncio.create_task(part.run(said.append))
    try:
        yield said
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_window_that_a_person_has_left_comes_back(tmux: Terminal) -> None:
    window = chat(tmux, STAYS)
    async with running(TmuxWindow(window, check=QUICK)) as said:
        await until(lambda: said)
        await window.close()
        await until(lambda: len(said) == 2)
        assert await window.alive()


async def test_the_window_outlives_its_part_and_is_found_again(tmux: Terminal) -> None:
    window = chat(tmux, STAYS)
    async with running(TmuxWindow(window, check=QUICK)) as first:
        await until(lambda: first)
    async with running(TmuxWindow(chat(tmux, STAYS), check=QUICK)) as second:
        await until(lambda: second)
    assert first == second


async def test_a_program_that_ends_at_once_stops_the_part_with_a_reason(tmux: Terminal) -> None:
    with pytest.raises(SetupError, match="closed 3 times") as failure:
        await TmuxWindow(chat(tmux, ENDS), check=QUICK).run(lambda _detail: None)
    assert failure.value.hint == "run `mosaic chat` to see why"
