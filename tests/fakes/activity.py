"""What became of the backlog, over the pure model."""

from datetime import datetime

from bot.backlog.activity import Tally
from tests.fakes.backlog import MemoryBacklog


class MemoryActivity:
    """The port Activity; ``began_at`` is when the model was made, unless a test says otherwise."""

    def __init__(self, backlog: MemoryBacklog) -> None:
        self._backlog = backlog
        self.began_at = backlog.look()

    async def since(self, moment: datetime) -> Tally:
        changes = [
            (card_id, event.detail["status"])
            for card_id, events in self._backlog.history()
            for event in events
            if event.at >= moment and "status" in event.detail
        ]
        created = {id for id, status in changes if status["from"] is None}
        done = {id for id, status in changes if status["from"] and status["to"] == "done"}
        return Tally(len(created), len(done), self.began_at)
