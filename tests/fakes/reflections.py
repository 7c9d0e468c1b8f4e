"""What is said in threads of cards, in memory: over the room's events and messages, and the threads of the model."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.model import Address, Inbound, InboundKind, Message, MessageKind, ReceiptState
from bot.people.reflections import TAG, Heard, Marking, Reading, Said, Utterance
from tests.fakes.mailroom import Event, Room, Row
from tests.fakes.threads import MemoryThreads

_OWN = {MessageKind.REPLY, MessageKind.NOTICE, MessageKind.ANSWER, MessageKind.PROGRESS}
_PAST = timedelta(minutes=5)


@dataclass
class MemoryReflections:
    """Both ports. The room's clock must be that of the threads."""

    room: Room
    threads: MemoryThreads
    read: Reading = field(default_factory=lambda: Reading(0, 0))

    async def reading(self) -> Reading:
        return self.read

    async def heard(self, position: int, limit: int) -> Sequence[Heard]:
        found = [
            Heard(number, row.stored_at, row.inbound, self._others_of(row))
            for number, row in self._events()
            if number > position
        ]
        joined = self._joined_places()
        return [
            one
            for one in found
            if one.others
            or (one.event.kind is not InboundKind.TEXT and one.event.source.lane in joined)
        ][:limit]

    async def said(self, position: int, limit: int) -> Sequence[Said]:
        found = []
        for row in self.room.rows:
            message = self.room.messages[row.outbound.message_id]
            at = self._stored_at(message.id)
            files = message.kind is MessageKind.MAIL and message.files
            here = message.origin if files else message.to
            others = () if here is None else self._others(here, at)
            own = row.outbound.kind in _OWN or (files and not message.author.startswith("agent:"))
            talk = own and message.cause and message.tag == "chat"
            if row.id > position and row.outbound.part == 0 and talk and others:
                asked = self.room.events.get(message.cause or "")
                asked_by = None if asked is None else asked.inbound.sender
                found.append(Said(row.id, at, self._with_offers(message), others, asked_by))
        return found[:limit]

    async def settle(self) -> None:
        now = self.room.now()
        heard = [number for number, row in self._events() if now - row.stored_at > _PAST]
        said = [
            row.id
            for row in self.room.rows
            if now - self._stored_at(row.outbound.message_id) > _PAST
        ]
        self.read = Reading(max([self.read.heard, *heard]), max([self.read.said, *said]))

    async def find(self, place: Address, event_id: str) -> Utterance | None:
        for _, row in self._events():
            event = row.inbound
            if event.source.lane == place.lane and event.event_id == event_id:
                return self._heard_first(event, _thread(event))
        for one in self.room.rows:
            message = self.room.messages[one.outbound.message_id]
            here = message.to.lane == place.lane and message.replaces is None
            words = one.outbound.kind is not MessageKind.REACTION
            if one.platform_id == event_id and here and words and message.to.thread is not None:
                return self._said_first(message)
        return None

    def _said_first(self, message: Message) -> Utterance | None:
        others = self._others(message.to)
        cause = message.cause if message.tag == TAG else None
        if not others:
            return None
        if cause in self.room.events:
            return self._heard_first(self.room.events[cause].inbound, message.to)
        first = self.room.messages.get(cause or "", message)
        return Utterance(first.id, first.to, None, None, others)

    def _heard_first(self, event: Inbound, seen_in: Address) -> Utterance | None:
        others = self._others(seen_in)
        if event.kind is not InboundKind.TEXT or not others:
            return None
        return Utterance(event.id, _thread(event), event.event_id, event.sender, others)

    async def marked(self, place: Address, event_id: str) -> Inbound | None:
        events = (row.inbound for _, row in self._events())
        marks = (e for e in events if e.kind is InboundKind.REACTION)
        return next((e for e in marks if _is_at(e, place) and e.event_id == event_id), None)

    async def markings(self, place: Address, event_id: str, mark: str) -> Sequence[Marking]:
        events = [row.inbound for _, row in self._events() if _is_at(row.inbound, place)]
        put = {
            e.event_id
            for e in events
            if e.kind is InboundKind.REACTION and (e.stands_on, e.text) == (event_id, mark)
        }
        return [
            Marking(e.event_id, e.sender, e.stands_on if e.event_id not in put else None)
            for e in events
            if e.event_id in put or (e.kind is InboundKind.REDACTION and e.stands_on in put)
        ]

    async def parts(self, message_id: str) -> int:
        message = self.room.messages.get(message_id)
        rows = [row for row in self.room.rows if row.outbound.message_id == message_id]
        return sum(message is not None and row.outbound.kind is message.kind for row in rows)

    async def shown(self, message_id: str) -> str | None:
        first = (row for row in self.room.rows if _key(row) == (message_id, 0))
        return next((row.platform_id for row in first), None)

    # -- what both need --------------------------------------------------------------------------------

    def _events(self) -> list[tuple[int, Event]]:
        return list(enumerate(self.room.events.values(), start=1))

    def _stored_at(self, message_id: str) -> datetime:
        first = (one for one in self.room.of(message_id) if one.state is ReceiptState.STORED)
        at = next(first).at
        assert at is not None
        return at

    def _with_offers(self, message: Message) -> Message:
        known = self.room.offers.items()
        offers = [offer for (whose, _), (offer, _) in known if whose == message.id]
        return replace(message, offers=tuple(sorted(offers, key=lambda offer: offer.mark)))

    def _others_of(self, row: Event) -> tuple[Address, ...]:
        if row.inbound.kind is not InboundKind.TEXT:
            return ()
        return self._others(_thread(row.inbound), row.stored_at)

    def _others(self, place: Address, at: datetime | None = None) -> tuple[Address, ...]:
        """Return the other threads of the card whose thread this is, those that were bound before a moment."""
        bound = self.threads.threads.items()
        card, since = next(
            ((card, since) for (card, _), (thread, since) in bound if thread == place),
            (None, None),
        )
        if card is None or since is None or place.thread is None or (at and at <= since):
            return ()
        found = [
            thread
            for (owner, kind), (thread, its) in bound
            if owner == card and kind != place.kind and thread.thread and (not at or at > its)
        ]
        return tuple(sorted(found, key=lambda thread: thread.kind))

    def _joined_places(self) -> set[str]:
        threads = [thread for thread, _ in self.threads.threads.values()]
        return {thread.lane for thread in threads if self._others(thread)}


def _thread(event: Inbound) -> Address:
    return replace(event.source, thread=event.source.thread or event.event_id)


def _is_at(event: Inbound, place: Address) -> bool:
    return event.source.lane == place.lane


def _key(row: Row) -> tuple[str, int]:
    return row.outbound.message_id, row.outbound.part
