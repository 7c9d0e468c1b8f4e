"""Correspondence and post in memory, over the same room as the mailbox's other fakes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.errors import UserError
from bot.mail.post import Item
from bot.model import (
    Delivery,
    Message,
    MessageKind,
    Receipt,
    ReceiptState,
)
from tests.fakes.mailroom import Room


class MemoryCorrespondence:
    """The port Correspondence, over a room."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def message(self, id_prefix: str) -> Message | None:
        self._room.look()
        found = [one for id, one in self._room.messages.items() if id.startswith(id_prefix)]
        if len(found) > 1 and id_prefix not in self._room.messages:
            raise UserError(f"several messages begin with {id_prefix!r}")
        return self._room.messages.get(id_prefix, found[0] if found else None)

    async def receipts(self, message_id: str) -> Sequence[Receipt]:
        self._room.look()
        return self._room.of(message_id)

    async def dead(self, limit: int) -> Sequence[tuple[Delivery, str]]:
        self._room.look()
        newest = reversed(self._room.dead[-limit:])
        return [(self._room.delivery(row), row.reason or "") for row in newest]

    async def retry(self, message_id: str) -> int:
        self._room.look()
        back = [row for row in self._room.dead if row.outbound.message_id == message_id]
        for row in back:
            self._room.dead.remove(row)
            row.state, row.due_at, row.attempts, row.reason = "due", self._room.now(), 0, None
            stored = Receipt(message_id, ReceiptState.STORED, row.outbound.part)
            self._room.add(replace(stored, reason="put back in line"))
        return len(back)

    async def unanswered(self, carrier: str) -> Sequence[tuple[Message, ReceiptState]]:
        self._room.look()
        found = []
        for message in self._room.messages.values():
            standing = _standing(self._room.of(message.id))
            mail = message.kind is MessageKind.MAIL and message.to.carrier == carrier
            if mail and standing is not None:
                found.append((message, standing))
        return found


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


_TAKEN = frozenset({ReceiptState.TYPED, ReceiptState.ACCEPTED})


def _standing(receipts: Sequence[Receipt]) -> ReceiptState | None:
    standing: ReceiptState | None = None
    for receipt in receipts:
        match receipt.state:
            case ReceiptState.ANSWERED:
                return None
            case ReceiptState.FAILED:
                standing = None
            case ReceiptState.TYPED | ReceiptState.ACCEPTED:
                standing = receipt.state
            case ReceiptState.WAITING | ReceiptState.UNKNOWN if standing is not None:
                standing = receipt.state
    return standing
