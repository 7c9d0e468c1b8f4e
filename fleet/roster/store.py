"""The port Rosters on roster.yaml: checked before it is written, whole or not at all."""

import asyncio
import os
import stat
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.config.places import Places
from bot.errors import SetupError
from fleet.lock import held
from fleet.roster.edit import add_agent, edit_agent, protect, remove_agent
from fleet.roster.file import parse

_PATIENCE = timedelta(seconds=10)


class RosterStore:
    """Edits one after the other, over all processes. The fleet follows the file by itself."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._path = places.roster_file

    async def add(self, agent: Mapping[str, Any]) -> None:
        """Add an agent at the end."""
        await self.change(lambda text: add_agent(text, agent))

    async def edit(self, name: str, changes: Mapping[str, Any]) -> None:
        """Set keys of an agent, and take away those whose value is None."""
        await self.change(lambda text: edit_agent(text, name, changes))

    async def remove(self, name: str) -> None:
        """Take an agent out, and everything that was there for it alone."""
        await self.change(lambda text: remove_agent(text, name))

    async def change(self, change: Callable[[str], str]) -> None:
        """Write what ``change`` makes of the file's text, while nobody else changes it."""
        lock = self._places.roster_lock_file
        async with held(lock, _PATIENCE, "somebody else changes the roster"):
            await asyncio.to_thread(self._rewrite, change)

    def text(self) -> str:
        """Return the file as it stands; SetupError when it cannot be read."""
        try:
            return self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"{self._path}:1: cannot be read: {error}") from error

    def _rewrite(self, change: Callable[[str], str]) -> None:
        text = self.text()
        before = parse(text, str(self._path))
        changed = change(text)
        protect(before, parse(changed, str(self._path)))
        if changed != text:  # a file that says the same is left with its time
            _replace(self._path, changed)


def _replace(path: Path, text: str) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.chmod(mode)
    draft.replace(path)
