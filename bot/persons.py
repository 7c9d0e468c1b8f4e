"""People with several accounts: principals that are linked, since both sides said that they are one person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.model import Address, Letter, Principal

UNLINKED_PLATFORMS = frozenset({"local", "agent"})
"""Whose principals are never linked: what they may do follows from where they run, and no setting names them."""


def is_linkable(principal: Principal) -> bool:
    """Return whether a principal is somebody's account on a platform where people talk."""
    return principal.platform not in UNLINKED_PLATFORMS


class Persons:
    """Who is one person with whom: a value that never changes. Who is linked with nobody is a person alone."""

    def __init__(self, groups: Iterable[Sequence[Principal]] = ()) -> None:
        self._groups: Mapping[str, Sequence[Principal]] = {
            one.id: tuple(group) for group in groups for one in group
        }

    def of(self, principal_id: str) -> frozenset[str]:
        """Return the ids of the one person that an id belongs to; itself is one of them."""
        return frozenset({principal_id, *(one.id for one in self.accounts(principal_id))})

    def accounts(self, principal_id: str) -> Sequence[Principal]:
        """Return all principals of a person with the names that they had when they were linked; none for one alone."""
        return self._groups.get(principal_id, ())

    def name_on(self, platform: str, principal: Principal) -> str:
        """Return the name by which people of a platform know a person; where nothing is linked, its own one."""
        named = (one.name for one in self.accounts(principal.id) if one.platform == platform)
        return next(named, principal.name)


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """A code that waits to be said on another side.

    ``asked_by`` is bound to it and was given it at ``place``, in answer to the event ``reply_to``. ``said_by``
    is who said it; then ``asked_by`` has the last word.
    """

    code: str
    asked_by: Principal
    place: Address
    reply_to: str | None = None
    said_by: Principal | None = None


class LinkRequests(Protocol):
    """Codes that wait. Of one principal the newest counts; one that has expired is as if it had never been."""

    async def ask(self, request: LinkRequest, lifetime: timedelta) -> None:
        """Keep a request; its owner's earlier one is void."""
        ...

    async def find(self, code: str) -> LinkRequest | None:
        """Return the request that waits under a code."""
        ...

    async def say(self, code: str, by: Principal, letters: Sequence[Letter]) -> bool:
        """Note who said a code, and store what is told of it, in one transaction.

        False, and nothing is stored, when none waits or somebody has said it before.
        """
        ...

    async def settle(self, code: str, owner_id: str, *, agreed: bool) -> LinkRequest | None:
        """Take a code that was said away from its owner, and link the two if that was agreed; None when none waits."""
        ...


class Links(Protocol):
    """Who is linked with whom."""

    async def persons(self) -> Persons:
        """Return everybody who is linked."""
        ...

    async def part(self, principal_id: str) -> bool:
        """Take a principal out of its person; the others stay together. False when it is linked with nobody."""
        ...
