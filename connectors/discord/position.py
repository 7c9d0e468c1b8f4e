"""How far we have read on Discord: one id for all channels, and the newest messages, which may still change."""

import json
from collections import deque
from collections.abc import Iterable
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
    """Where we are. Everything up to ``after`` was read, in every channel."""

    def __init__(self, after: int = 0, recent: Iterable[Known] = ()) -> None:
        self.after = after
        self.recent = deque(recent, maxlen=_KEPT)

    @classmethod
    def read(cls, text: str | None) -> "Position":
        """Return the position that ``text`` wrote, the beginning for None; SetupError for what is none."""
        if text is None:
            return cls()
        try:
            told = json.loads(text)
            recent = (Known(*map(int, line.split("/"))) for line in told["recent"])
            return cls(int(told["after"]), recent)
        except (ValueError, TypeError, KeyError) as error:
            raise SetupError("the position of the connector discord cannot be read") from error

    def text(self) -> str:
        """Return the position as it is stored."""
        lines = [f"{one.channel_id}/{one.message_id}/{one.author_id}" for one in self.recent]
        return json.dumps({"after": str(self.after), "recent": lines}, separators=(",", ":"))

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
