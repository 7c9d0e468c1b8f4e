"""The mail between agents, as its readers and the guards see it, over the room of the other fakes."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.model import Message, MessageKind, ReceiptState
from bot.post import Item
from tests.fakes.mailroom import Room

_TAKEN = frozenset({ReceiptState.TYPED, ReceiptState.ACCEPTED})


class MemoryPost:
    """The port Post, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def inbox(self, reader: str, place: str, limit: int) -> Sequence[Item]:
        self._room.look()
        found = []
        for message in self._room.messages.values():
            receipts = self._room.of(message.id)
            answers = [one for one in receipts if one.state is ReceiptState.ANSWERED]
            ended = bool(answers) or receipts[-1].state is ReceiptState.FAILED
            theirs = message.to.place == place or (message.author == reader and ended)
            away = (message.id, reader) in self._room.acknowledged
            if message.kind is MessageKind.MAIL and theirs and not away:
                answer = str(answers[0].evidence["answer"]) if answers else None
                at = receipts[0].at or self._room.now()
                last = receipts[-1]
                found.append(Item(message, last.state, answer, at, last.reason))
        return found[-limit:]

    async def acknowledge(self, message_id: str, reader: str) -> None:
        self._room.look()
        self._room.acknowledged.add((message_id, reader))

    async def cause(self, place: str, quiet: timedelta) -> Message | None:
        self._room.look()
        given: list[tuple[datetime, Message]] = []
        for message in self._room.messages.values():
            if message.kind is not MessageKind.MAIL or message.to.place != place:
                continue
            dated = [(one.state, one.at) for one in self._room.of(message.id) if one.at]
            taken = [at for state, at in dated if state in _TAKEN]
            ended = [at for state, at in dated if state is ReceiptState.ANSWERED]
            if taken:
                failed = [at for state, at in dated if state is ReceiptState.FAILED]
                ended += [at for at in failed if at >= max(taken)]
            if taken and (not ended or max(ended) > self._room.now() - quiet):
                given.append((max(taken), message))
        return max(given, key=lambda one: one[0])[1] if given else None

    async def between(self, one: str, other: str, within: timedelta) -> int:
        self._room.look()
        ways = {(f"agent:{one}", other), (f"agent:{other}", one)}
        since = self._room.now() - within
        return sum(
            (message.author, message.to.place) in ways
            and (self._room.of(message.id)[0].at or since) > since
            for message in self._room.messages.values()
        )

    async def attempts(self, message_id: str) -> int:
        self._room.look()
        rows = [*self._room.rows, *self._room.dead]
        return sum(row.attempts for row in rows if row.outbound.message_id == message_id)
