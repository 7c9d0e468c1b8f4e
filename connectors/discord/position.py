"""How far we have read on Discord: one id for all channels, where each of them begins for us, and the newest messages.

Those may still change.
"""

import json
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bot.errors import SetupError

_KEPT = 50
"""Messages that are looked at again after downtime: whether they were changed or are gone."""


@dataclass(frozen=True, slots=True)
class Known:
    """A message that we have read: where it stands, and who wrote it."""

    channel_id: int
    message_id: int
    author_id: int


class Position:
    """Where we are. Everything up to ``after`` was read, in every channel.

    ``floors`` are the channels in which we listen, each with the id up to which nothing there is for us: what was said
    before it was added. They are None in a position of an older version, which did not tell.
    """

    def __init__(
        self,
        after: int = 0,
        recent: Iterable[Known] = (),
        floors: Mapping[int, int] | None = None,
    ) -> None:
        self.after = after
        self.recent = deque(recent, maxlen=_KEPT)
        self.floors = None if floors is None else dict(floors)

    @classmethod
    def read(cls, text: str | None) -> "Position":
        """Return the position that ``text`` wrote, the beginning for None; SetupError for what is none."""
        if text is None:
            return cls()
        try:
            told = json.loads(text)
            recent = (Known(*map(int, line.split("/"))) for line in told["recent"])
            floors = (
                {int(one): int(floor) for one, floor in dict(told["floors"]).items()}
                if "floors" in told
                else None
            )
            return cls(int(told["after"]), recent, floors)
        except (ValueError, TypeError, KeyError) as error:
            raise SetupError("the position of the connector discord cannot be read") from error

    def text(self) -> str:
        """Return the position as it is stored."""
        lines = [f"{one.channel_id}/{one.message_id}/{one.author_id}" for one in self.recent]
        told: dict[str, object] = {"after": str(self.after), "recent": lines}
        if self.floors is not None:
            told["floors"] = {str(one): str(floor) for one, floor in self.floors.items()}
        return json.dumps(told, separators=(",", ":"))

    def settle(self, channels: Collection[int]) -> list[int]:
        """Forget all channels but these, and return those that were added; none where nobody knows."""
        if self.floors is None:
            self.floors = dict.fromkeys(channels, 0)
        self.floors = {one: floor for one, floor in self.floors.items() if one in channels}
        return [one for one in channels if one not in self.floors]

    def begin(self, channel_id: int, floor: int) -> None:
        """Listen in a channel to what comes after an id, unless we do already."""
        if self.floors is not None:
            self.floors.setdefault(channel_id, floor)

    def floor(self, channel_id: int) -> int:
        """Return the id up to which nothing in a channel is for us."""
        return 0 if self.floors is None else self.floors.get(channel_id, 0)

    def pass_by(self, message_id: int) -> None:
        """Go on to a message."""
        self.after = max(self.after, message_id)

    def keep(self, known: Known) -> None:
        """Remember a message that we have read."""
        if all(one.message_id != known.message_id for one in self.recent):
            self.recent.append(known)

    def drop(self, message_id: int) -> None:
        """Forget a message that is gone."""
        kept = [one for one in self.recent if one.message_id != message_id]
        self.recent = deque(kept, maxlen=_KEPT)
