"""One control-mode connection to a tmux server: many commands, no process for each (tmux(1), CONTROL MODE).

A reply is a block between ``%begin T N F`` and ``%end T N F`` or ``%error T N F``. What a pane shows stands
in such a block as it is, so a program could draw the lines of a block itself. Therefore each batch ends with a
word that nobody can guess, and a batch in which that word is not the last thing said is thrown away together
with the connection.
"""

import asyncio
import contextlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.errors import TransientError

_PATIENCE_SECONDS = 10.0
_LONGEST_LINE = 4 * 1024 * 1024
_BEGIN = re.compile(rb"%begin (?P<id>\d+ \d+) (?P<flags>\d+)\n")
_FROM_US = b"1"


@dataclass(frozen=True, slots=True)
class Block:
    """What one command came to: its output, or with ``failed`` tmux's own words."""

    failed: bool
    text: str


class ControlLine:
    """A client in control mode, attached to a session of ours without size and without panes' output.

    It sends commands that answer with exactly one block each: no ``if-shell``, no ``;``.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("a control connection needs both pipes")
        self._process = process
        self._in = process.stdin
        self._out = process.stdout
        self._turn = asyncio.Lock()

    @classmethod
    async def open(cls, argv: Sequence[str], environment: Mapping[str, str]) -> "ControlLine":
        """Start the client; TransientError when there is no server, or no such session on it.

        ``argv`` is tmux with its socket, ``-C``, and the words that attach.
        """
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=dict(environment),
            limit=_LONGEST_LINE,
        )
        line = cls(process)
        try:
            await line.batch([])
        except TransientError:
            await line.close()
            raise
        return line

    @property
    def alive(self) -> bool:
        """Whether it can take another batch."""
        return self._process.returncode is None

    async def batch(self, commands: Sequence[Sequence[str]]) -> Sequence[Block]:
        """Run commands in their order and return a block for each.

        TransientError when the connection ended, was too slow, or said what nobody asked: then no block
        can be trusted, and the connection is closed.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    return await self._batch(commands)
            except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
                await self.close()
                raise TransientError("the control connection to tmux was lost") from error
            except asyncio.CancelledError:
                # Half an answer is still under way: whoever asks next must not read it.
                await self.close()
                raise

    async def _batch(self, commands: Sequence[Sequence[str]]) -> Sequence[Block]:
        word = secrets.token_hex(16)
        lines = [*commands, ("display-message", "-p", word)]
        self._in.write("".join(map(_line, lines)).encode())
        blocks = [await self._block() for _ in lines]
        last = blocks.pop()
        if last.failed or last.text != word:
            raise ValueError("the last block is not the one that was asked for")
        return blocks

    async def _block(self) -> Block:
        """Return the next block that answers a command of ours; notices between blocks are passed over."""
        while True:
            begin = _BEGIN.fullmatch(await self._read())
            if begin is not None:
                block = await self._until_end(begin["id"])
                if begin["flags"] == _FROM_US:
                    return block

    async def _until_end(self, number: bytes) -> Block:
        rows: list[bytes] = []
        while True:
            row = await self._read()
            for mark, failed in ((b"%end ", False), (b"%error ", True)):
                if row.startswith(mark + number + b" "):
                    return Block(failed, b"".join(rows).decode(errors="replace").removesuffix("\n"))
            rows.append(row)

    async def _read(self) -> bytes:
        row = await self._out.readline()
        if not row.endswith(b"\n"):
            raise asyncio.IncompleteReadError(row, None)
        return row

    async def close(self) -> None:
        """Detach; harmless when it has ended."""
        self._in.close()
        with contextlib.suppress(OSError):
            await self._in.wait_closed()
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()


def _line(words: Sequence[str]) -> str:
    """Return a command line as tmux parses it: each word in single quotes, in which nothing is special."""
    if any("\n" in word or "\0" in word for word in words):
        raise ValueError("a command of the control connection is one line")
    return " ".join("'" + word.replace("'", r"'\''") + "'" for word in words) + "\n"
