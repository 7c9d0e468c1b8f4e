"""Turns that somebody interrupted, where only the program's record says so (Claude Code has no hook for it)."""

from dataclasses import dataclass
from pathlib import Path

from fleet.turns.events import Event, size_of
from fleet.turns.records import was_interrupted


@dataclass(slots=True)
class _Turn:
    agent: str
    record: Path
    size: int = 0
    interrupted: bool = False


class Interruptions:
    """The turns under way that name a record, by their messages. What began in an earlier life is not known here."""

    def __init__(self) -> None:
        self._open: dict[str, _Turn] = {}

    def __bool__(self) -> bool:
        """Whether there is anything to look into."""
        return bool(self._open)

    def follow(self, agent: str, event: Event) -> None:
        """Note a turn's beginning, or its end."""
        for message_id in event.message_ids:
            if event.event == "submitted" and event.record:
                self._open[message_id] = _Turn(agent, Path(event.record))
            else:
                self._open.pop(message_id, None)

    def found(self) -> list[tuple[str, str]]:
        """Return agents and messages whose turn was interrupted, until they are ``told``.

        Blocks; a record at rest costs no more than a look at its size.
        """
        for message_id, turn in self._open.items():
            before, turn.size = turn.size, size_of(turn.record)
            if turn.size != before and was_interrupted(turn.record, message_id):
                turn.interrupted = True
        return [(turn.agent, one) for one, turn in self._open.items() if turn.interrupted]

    def told(self, message_id: str) -> None:
        """Forget a turn whose end was passed on."""
        self._open.pop(message_id, None)
