"""Where things are said: rooms by what they are for, and projects by the directories that agents work in."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from bot.model import Address
from bot.rooms.ports import KeptRoom, Purpose, RoomBook, RoomRole

_LOOK = timedelta(seconds=15)


class Whereabouts:
    """The part ``rooms``: knows the rooms that are written down, from ``refresh`` on and never long out of date.

    ``projects`` are names with their directories. What has no room of its own is said in the primary place.
    """

    name = "rooms"

    def __init__(
        self, book: RoomBook, projects: Mapping[str, Path], *, look: timedelta = _LOOK
    ) -> None:
        self.projects = dict(projects)
        self._book = book
        self._look = look
        self._rooms: tuple[KeptRoom, ...] = ()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Read the book now and then until cancelled: another daemon may write in it."""
        while True:
            await self.refresh()
            ready(f"{len(self._rooms)} rooms with a role")
            await asyncio.sleep(self._look.total_seconds())

    async def refresh(self) -> None:
        """Read the book; TransientError when the database is away."""
        self._rooms = tuple(await self._book.rooms())

    @property
    def rooms(self) -> Sequence[KeptRoom]:
        """Every room that has a role."""
        return self._rooms

    def room(self, role: RoomRole, project: str = "") -> Address | None:
        """Return the room for something, None when there is none."""
        purpose = Purpose(role, project)
        return next((room.place for room in self._rooms if room.purpose == purpose), None)

    def lanes(self) -> frozenset[str]:
        """Return the rooms where people talk, as the policy knows them."""
        talk = (room for room in self._rooms if room.purpose.role is not RoomRole.SPACE)
        return frozenset(room.place.lane for room in talk)

    def project_of(self, directory: Path) -> str | None:
        """Return the project that a directory belongs to: of several the one with the longest path."""
        holding = [
            (len(root.parts), name)
            for name, root in self.projects.items()
            if directory == root or root in directory.parents
        ]
        return max(holding)[1] if holding else None

    def room_for(self, directory: Path) -> Address | None:
        """Return the room of the project that a directory belongs to."""
        project = self.project_of(directory)
        return None if project is None else self.room(RoomRole.PROJECT, project)
