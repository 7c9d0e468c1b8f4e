"""What an agent may send: regular files in its working directory or its inbox, and nothing by way of a link."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import BinaryIO

from bot.errors import UserError
from bot.mail.outgoing import AgentFile
from bot.model import Address
from fleet.host.local import LocalFleet

_PIECE = 256 * 1024


class LocalAgentFiles:
    """The port AgentFiles for this host's agents.

    The path that counts is the one that was opened: links are resolved first, and what they lead to must lie in
    one of the agent's own folders, so neither a link nor a race reaches anything else. Hidden files are not sent.
    """

    def __init__(self, fleet: LocalFleet) -> None:
        self._fleet = fleet

    def open(self, agent: Address, path: str) -> AgentFile:
        """Open a file; UserError that names the path and what is allowed."""
        name = agent.place.partition("/")[2]
        own, working = self._folders(name)
        handle = _opened(path)
        try:
            real, size = _looked_at(handle, path)
            self._check_place(real, path, own, working)
        except BaseException:
            os.close(handle)
            raise
        file = os.fdopen(handle, "rb")
        where = f"{self._fleet.host}:{real}"
        return AgentFile(real.name, where, size, _bytes(file, size), file.close)

    def _folders(self, name: str) -> tuple[Sequence[Path], Path]:
        """Return the folders of what people sent, and the agent's working directory."""
        agent = next((one for one in self._fleet.local_agents() if one.name == name), None)
        if agent is None:
            raise UserError(f"the agent {name} is not one of this host", code="unknown_agent")
        places = self._fleet.places
        working = self._fleet.current.working_directory(agent, Path.home())
        own = (places.folder_of(name, None), places.files_directory)
        return [folder.resolve() for folder in own], working.resolve()

    def _check_place(self, real: Path, path: str, own: Sequence[Path], working: Path) -> None:
        """Raise UserError unless a file lies where this agent may send from; our own state is not sent."""
        if any(real.is_relative_to(folder) for folder in own):
            return
        ours = self._fleet.places.home.resolve()
        if not real.is_relative_to(working) or real.is_relative_to(ours):
            raise UserError(
                f"{path} is not allowed: it lies at {real}",
                code="forbidden",
                hint=f"allowed: {', '.join(map(str, (working, *own)))}",
            )
        if any(step.startswith(".") for step in real.relative_to(working).parts):
            raise UserError(f"{path} is hidden, and hidden files are not sent", code="forbidden")


def _opened(path: str) -> int:
    if not path.startswith("/"):
        raise UserError(f"FILE: {path!r} is not allowed: it must begin with /", code="usage")
    try:
        # Not blocking: a pipe would wait for whoever writes into it.
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(f"{path} cannot be read: {reason}", code="not_found") from error


def _looked_at(handle: int, path: str) -> tuple[Path, int]:
    """Return where an open file really lies, and its size."""
    facts = os.fstat(handle)
    if not stat.S_ISREG(facts.st_mode):
        raise UserError(f"{path} is no regular file", code="refused")
    return Path(f"/proc/self/fd/{handle}").readlink(), facts.st_size


async def _bytes(file: BinaryIO, size: int) -> AsyncIterator[bytes]:
    """Give as many bytes as the file had when it was opened; UserError when it became shorter."""
    left = size
    while left:
        piece = await asyncio.to_thread(file.read, min(_PIECE, left))
        if not piece:
            raise UserError("the file became shorter while it was read", code="changed")
        left -= len(piece)
        yield piece
