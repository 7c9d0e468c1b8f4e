"""The console without a terminal: lines from a pipe, answers as they come, an end when all are there."""

import asyncio
import threading
from datetime import timedelta
from pathlib import Path
from typing import TextIO

from bot.clock.together import until_one_ends
from bot.errors import TransientError, UserError
from bot.model import MessageKind
from bot.render.markup import clean
from connectors.tmux.client import Away, ConsoleClient, Incoming
from connectors.tmux.frames import Refused, Said
from connectors.tmux.paint import author_name

_QUIET = timedelta(milliseconds=300)


class PlainConsole:
    """Says every line of ``source`` and writes what is answered to them to ``out``.

    A line is answered by the first message that replies to it. Once the source has ended and all lines
    are answered, a short quiet ends the conversation; ``patience`` without any word from the daemon ends
    it too.
    """

    def __init__(
        self,
        socket_path: Path,
        source: TextIO,
        out: TextIO,
        patience: timedelta = timedelta(seconds=60),
    ) -> None:
        self._client = ConsoleClient(socket_path, self._show)
        self._source = source
        self._out = out
        self._patience = patience
        self._own: set[str] = set()
        self._open: set[str] = set()
        self._heard = asyncio.Event()

    async def run(self) -> None:
        """Talk until everything is answered; TransientError when the daemon stays silent."""
        await until_one_ends(self._client.run(), self._talk())

    async def _talk(self) -> None:
        lines = self._read()
        while line := await lines.get():
            if line.strip():
                self._say(line.strip())
        while self._open:
            if not await self._word_within(self._patience):
                raise TransientError(
                    f"no answer to {len(self._open)} of the lines within "
                    f"{self._patience.total_seconds():g} s"
                )
        while await self._word_within(_QUIET):
            pass

    def _say(self, line: str) -> None:
        try:
            event_id = self._client.say(line)
        except UserError as error:
            self._out.write(f"not taken: {error.message}\n")
            return
        self._own.add(event_id)
        self._open.add(event_id)

    def _read(self) -> "asyncio.Queue[str]":
        """Return a queue of the source's lines, an empty one at its end.

        The thread is a daemon: a source that never ends keeps nobody from leaving.
        """
        loop, lines = asyncio.get_running_loop(), asyncio.Queue[str]()

        def read() -> None:
            more = True
            while more:
                line = self._source.readline()
                more = bool(line) and not loop.is_closed()
                if not loop.is_closed():
                    loop.call_soon_threadsafe(lines.put_nowait, line)

        threading.Thread(target=read, daemon=True).start()
        return lines

    async def _word_within(self, time: timedelta) -> bool:
        """Wait for the next message; false when none comes in time."""
        self._heard.clear()
        try:
            async with asyncio.timeout(time.total_seconds()):
                await self._heard.wait()
        except TimeoutError:
            return False
        return True

    async def _show(self, frame: Incoming | Away) -> None:
        match frame:
            case Said(reply_to=str(reply_to)) if reply_to in self._own:
                name = f"{author_name(frame.author)}: " if frame.kind is MessageKind.ANSWER else ""
                self._out.write(f"{name}{clean(frame.text)}\n")
                self._out.flush()
                self._open.discard(reply_to)
            case Refused(event_id=event_id, reason=reason):
                self._out.write(f"not taken: {clean(reason)}\n")
                self._open.discard(event_id or "")
            case _:
                return
        self._heard.set()
