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
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.errors import TransientError

_PATIENCE_SECONDS = 10.0
_LONGEST_ANSWER = 64 * 1024 * 1024
_BEGIN = re.compile(rb"%begin (?P<id>\d+ \d+) (?P<flags>\d+)")
_FROM_US = b"1"
_BROKEN = (
    OSError,
    TimeoutError,
    ValueError,
    asyncio.IncompleteReadError,
    asyncio.LimitOverrunError,
)


@dataclass(frozen=True, slots=True)
class Block:
    """What one command came to: its output, or with ``failed`` tmux's own words."""

    failed: bool
    text: str


class ControlLine:
    """A client in control mode, attached to a session of ours without size and without panes' output.

    Whoever comes while others wait for their answers is sent at once: answers come in the same order.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("a control connection needs both pipes")
        self._process = process
        self._in = process.stdin
        self._out = process.stdout
        self._turn = asyncio.Lock()
        self._lost = False

    @classmethod
    async def open(cls, argv: Sequence[str], environment: Mapping[str, str]) -> "ControlLine":
        """Start the client; TransientError when there is no server, or no such session on it.

        ``argv`` is tmux with its socket, ``-C``, and the words that attach. Where setpriv(1) is, the client ends
        with us however we end.
        """
        process = await asyncio.create_subprocess_exec(
            *_bound_to_us(),
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=dict(environment),
            limit=_LONGEST_ANSWER,
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
        return self._process.returncode is None and not self._lost

    async def batch(self, commands: Sequence[Sequence[str]]) -> Sequence[Block]:
        """Run commands that answer with exactly one block each, in their order, and return the blocks.

        TransientError when the connection ended, was too slow, or said what nobody asked: then no block
        can be trusted, and the connection is closed.
        """
        return await self._guard(commands, len(commands))

    async def did(self, commands: Sequence[Sequence[str]], word: str) -> bool:
        """Run commands, with ``if-shell`` among them, and say whether one of them printed ``word``.

        A taken branch answers with blocks of its own, so their number is not known beforehand. After a
        TransientError nobody knows whether it was done.
        """
        blocks = await self._guard(commands, None)
        return any(not block.failed and block.text == word for block in blocks)

    async def _guard(
        self, commands: Sequence[Sequence[str]], expected: int | None
    ) -> Sequence[Block]:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await self._converse(commands, expected)
        except _BROKEN as error:
            await self.close()
            raise TransientError("the control connection to tmux was lost") from error
        except asyncio.CancelledError:
            # An answer is still under way: whoever asks next must not read it.
            await self.close()
            raise

    async def _converse(
        self, commands: Sequence[Sequence[str]], expected: int | None
    ) -> Sequence[Block]:
        word = secrets.token_hex(16)
        lines = [*commands, ("display-message", "-p", word)]
        # Nothing may be awaited between these two: the lock is taken in the order of what was written.
        self._in.write("".join(map(_line, lines)).encode())
        async with self._turn:
            if self._lost:
                raise ValueError("what was said before is not known to its end")
            said = await self._out.readuntil(b"\n" + word.encode() + b"\n%end ")
            said += await self._out.readuntil(b"\n")
        blocks = _blocks(said)
        if blocks[-1:] != [Block(failed=False, text=word)]:
            raise ValueError("the last block is not the one that was asked for")
        if expected not in {None, len(blocks) - 1}:
            raise ValueError("there are more blocks than commands, or fewer")
        return blocks[:-1]

    async def close(self) -> None:
        """Detach; harmless when it has ended. Whoever still waits for an answer gets a TransientError."""
        self._lost = True
        self._in.close()
        with contextlib.suppress(OSError):
            await self._in.wait_closed()
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await self._process.wait()


def _blocks(said: bytes) -> list[Block]:
    """Return the blocks that answer commands of ours; notices between blocks are passed over.

    ValueError for an end without its beginning: somebody drew an end into the block before it.
    """
    blocks: list[Block] = []
    begin: re.Match[bytes] | None = None
    rows: list[bytes] = []
    for row in said.split(b"\n"):
        if begin is None:
            begin, rows = _BEGIN.fullmatch(row), []
            if begin is None and row.startswith((b"%end ", b"%error ")):
                raise ValueError("a block ended that had not begun")
            continue
        if not row.startswith(b"%"):
            rows.append(row)
            continue
        failed = row.startswith(b"%error " + begin["id"] + b" ")
        if not failed and not row.startswith(b"%end " + begin["id"] + b" "):
            rows.append(row)
            continue
        if begin["flags"] == _FROM_US:
            blocks.append(Block(failed, b"\n".join(rows).decode(errors="replace")))
        begin = None
    return blocks


def _bound_to_us() -> Sequence[str]:
    """Return the words in front of a command that make the kernel end it when we end, even by SIGKILL.

    A client that is left behind with answers that nobody reads keeps its server from ever ending: after
    ``kill-server`` tmux (3.3a) waits for those answers to be taken, refuses everybody, and no new server can start
    on the socket.
    """
    setpriv = shutil.which("setpriv")
    return () if setpriv is None else (setpriv, "--pdeathsig", "KILL")


def _line(words: Sequence[str]) -> str:
    """Return a command line as tmux parses it: each word in single quotes, in which nothing is special."""
    if any("\n" in word or "\0" in word for word in words):
        raise ValueError("a command of the control connection is one line")
    return " ".join("'" + word.replace("'", r"'\''") + "'" for word in words) + "\n"
