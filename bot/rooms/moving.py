"""Places that took over from others: what counted for the old one counts for the new one, and people are told."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from bot.model import Address, Message, MessageKind, derived_id
from bot.ports import Successions
from bot.reply import Text

Moved = Callable[[str, str], Awaitable[None]]


class Moving:
    """What is known of successions, in this process and for good.

    ``post`` stores a message; it is told to people in the place that took over.
    """

    def __init__(
        self, successions: Successions, post: Callable[[list[Message]], Awaitable[None]]
    ) -> None:
        self._successions = successions
        self._post = post
        self._known: dict[tuple[str, str], str] = {}

    async def learn(self, kind: str) -> Mapping[str, str]:
        """Read what earlier lives found of a platform, and return it; TransientError when the database is away."""
        found = await self._successions.known(kind)
        self._known |= {(kind, old): new for old, new in found.items()}
        return found

    def of(self, kind: str) -> Moved:
        """Return what a connector of this kind tells of a succession; repeatable."""

        async def moved(old: str, new: str) -> None:
            before, after = Address(kind, old), Address(kind, new)
            await self._successions.note(before, after)
            await self._post([_notice(before, after)])
            self._known.setdefault((kind, old), new)

        return moved

    def current(self, address: Address) -> Address:
        """Return where a place is now; a thread stays behind with the old one."""
        place = address.place
        for _ in self._known:  # a circle ends too
            place = self._known.get((address.kind, place), place)
        return address if place == address.place else replace(address, place=place, thread=None)

    def widened(self, lanes: Iterable[str]) -> frozenset[str]:
        """Return lanes together with those that took over from them."""
        found = set(lanes)
        for _ in self._known:
            found |= {
                f"{k}:{new}" for (k, old), new in self._known.items() if f"{k}:{old}" in found
            }
        return frozenset(found)


def _notice(old: Address, new: Address) -> Message:
    text = (
        f"This room took over from {old.place}: commands are taken here now."
        " What was bound to threads there stays there as history."
    )
    return Message(
        id=derived_id("succession", old.lane, new.lane),
        to=new,
        kind=MessageKind.NOTICE,
        blocks=(Text(text),),
    )
