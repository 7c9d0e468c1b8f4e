"""Linked accounts and their codes in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.model import Letter, Principal
from bot.persons import LinkRequest, Persons
from tests.fakes.mailroom import Room


@dataclass(slots=True)
class _Kept:
    request: LinkRequest
    lifetime: timedelta
    expires_at: datetime


@dataclass
class MemoryLinks:
    """Both ports, over a room in which letters are stored."""

    room: Room
    _requests: dict[str, _Kept] = field(default_factory=dict)
    _groups: list[dict[str, Principal]] = field(default_factory=list)

    async def ask(self, request: LinkRequest, lifetime: timedelta) -> None:
        kept = _Kept(request, lifetime, self.room.now() + lifetime)
        self._requests[request.asked_by.id] = kept

    async def find(self, code: str) -> LinkRequest | None:
        kept = self._kept(code)
        return None if kept is None else kept.request

    async def say(self, code: str, by: Principal, letters: Sequence[Letter]) -> bool:
        kept = self._kept(code)
        if kept is None or kept.request.said_by is not None or kept.request.asked_by.id == by.id:
            return False
        kept.request = replace(kept.request, said_by=by)
        kept.expires_at = self.room.now() + kept.lifetime
        self.room.store(letters)
        return True

    async def settle(self, code: str, owner_id: str, *, agreed: bool) -> LinkRequest | None:
        kept = self._kept(code)
        if kept is None or kept.request.asked_by.id != owner_id or kept.request.said_by is None:
            return None
        del self._requests[owner_id]
        if agreed:
            self._join(kept.request.asked_by, kept.request.said_by)
        return kept.request

    async def persons(self) -> Persons:
        return Persons([tuple(group.values()) for group in self._groups])

    async def part(self, principal_id: str) -> bool:
        group = next((group for group in self._groups if principal_id in group), None)
        if group is None:
            return False
        del group[principal_id]
        if len(group) == 1:
            self._groups.remove(group)
        return True

    def _kept(self, code: str) -> _Kept | None:
        waiting = (kept for kept in self._requests.values() if kept.request.code == code)
        return next((kept for kept in waiting if kept.expires_at > self.room.now()), None)

    def _join(self, one: Principal, other: Principal) -> None:
        ours = [group for group in self._groups if one.id in group or other.id in group]
        self._groups = [group for group in self._groups if group not in ours]
        joined = {id: member for group in ours for id, member in group.items()}
        self._groups.append({**joined, one.id: one, other.id: other})
