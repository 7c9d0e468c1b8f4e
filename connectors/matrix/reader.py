"""From a sync's answer to one batch: every room's events in order, with the account of what was missed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.errors import UserError
from bot.model import Address, Gap, Inbound, InboundBatch, InboundKind
from connectors.matrix.answers import JoinedRoom, RoomEvent, SyncAnswer, read_events
from connectors.matrix.events import (
    ENCRYPTION,
    KIND,
    MEMBER,
    is_own_exit,
    is_own_join,
    to_inbound,
)
from connectors.matrix.gaps import GapWalker, Walk
from connectors.matrix.privacy import Privacy, Spoken
from connectors.matrix.rooms import Rooms


class Reader:
    """Turns answers into batches. ``last_gap`` is the newest account of a room after missed time."""

    def __init__(self, user_id: str, rooms: Rooms, walker: GapWalker, privacy: Privacy) -> None:
        self.last_gap: Gap | None = None
        self._privacy = privacy
        self._user_id = user_id
        self._rooms = rooms
        self._walker = walker
        self._log = structlog.get_logger(part=KIND)

    async def read(self, answer: SyncAnswer, position: str | None, *, missed: bool) -> InboundBatch:
        """Return the batch of an answer to a sync from ``position``.

        ``missed`` says that nobody listened since the position: people's messages then count as
        recovered. Without a position nothing is read: what was said before our first start is history.
        """
        events = self._late_words()
        gaps: list[Gap] = []
        for room_id, room in answer.rooms.leave.items():
            found, gap = await self._read_left(room_id, room, position, missed=missed)
            events += found
            gaps += [] if gap is None else [gap]
        for room_id, room in answer.rooms.join.items():
            self._rooms.note_presence(room_id, inside=True)
            found, gap = await self._read_room(room_id, room, position, missed=missed)
            events += found
            if gap is not None:
                gaps.append(gap)
                self.last_gap = gap
        await self._follow_invitations(answer)
        unreadable = () if position is None else self._privacy.unreadable()
        return InboundBatch(KIND, tuple(events), answer.next_batch, tuple(gaps), unreadable)

    async def _follow_invitations(self, answer: SyncAnswer) -> None:
        for room_id, invited in answer.rooms.invite.items():
            await self._rooms.consider(room_id, invited.invite_state.events)
        await self._rooms.follow_invitations()

    async def read_forgotten(self, answer: SyncAnswer) -> InboundBatch:
        """Return what is new since the newest events that were read before, from a first sync's answer.

        It stands for the answer to a sync from a position that the homeserver does not know any more.
        """
        events, gaps = self._late_words(), list[Gap]()
        for room_id, room in answer.rooms.join.items():
            self._rooms.note_presence(room_id, inside=True)
            await self._note_state(room_id, room)
            if await self._is_closed(room_id):
                continue
            walk = await self._walker.walk_to_known(room_id, answer.next_batch)
            found, gap = await self._account(room_id, walk.events, walk, missed=True)
            events += found
            gaps += [] if gap is None else [gap]
        await self._follow_invitations(answer)
        unreadable = self._privacy.unreadable()
        return InboundBatch(KIND, tuple(events), answer.next_batch, tuple(gaps), unreadable)

    def _late_words(self) -> list[Inbound]:
        """Return what could be read only now: it was said before, so it counts as recovered."""
        found = [
            to_inbound(event, room_id, self._user_id) for room_id, event in self._privacy.late()
        ]
        return [replace(inbound, recovered=True) for inbound in found if inbound is not None]

    async def _read_left(
        self, room_id: str, room: JoinedRoom, position: str | None, *, missed: bool
    ) -> tuple[list[Inbound], Gap | None]:
        """Read what was said in a room before we were out of it.

        Where the server tells no more whether it was encrypted, no clear word of it can be believed.
        """
        found: tuple[list[Inbound], Gap | None] = ([], None)
        recent = read_events(RoomEvent, room.timeline.events)
        exits = [event for event in recent if is_own_exit(event, self._user_id)]
        if exits and position is not None:
            if not await self._is_closed(room_id):
                found = await self._read_since(room_id, room, position, missed=missed)
            elif any(to_inbound(event, room_id, self._user_id) for event in recent):
                await self._rooms.report(f"What was last said in {room_id} could not be read.")
            await self._rooms.note_removal(room_id, exits[-1])
        self._rooms.note_presence(room_id, inside=False)
        self._privacy.members.note_change(room_id)
        return found

    async def _read_room(
        self, room_id: str, room: JoinedRoom, position: str | None, *, missed: bool
    ) -> tuple[list[Inbound], Gap | None]:
        await self._note_state(room_id, room)
        if position is None or await self._is_closed(room_id):
            return [], None
        return await self._read_since(room_id, room, position, missed=missed)

    async def _read_since(
        self, room_id: str, room: JoinedRoom, position: str, *, missed: bool
    ) -> tuple[list[Inbound], Gap | None]:
        recent = read_events(RoomEvent, room.timeline.events)
        walk = await self._walk_before(room_id, room, recent)
        if walk is None:
            walk = await self._walk(room_id, room, recent, position)
            recent = list(_since_joined(recent, self._user_id))
        return await self._account(room_id, (*walk.events, *recent), walk, missed=missed)

    async def _walk_before(
        self, room_id: str, room: JoinedRoom, recent: Sequence[RoomEvent]
    ) -> Walk | None:
        """Return what was said before we came into a room that took over from ours, None for any other.

        It was said to us: only a room's upgrade lay in between. When we come back into it, it is a room like any.
        """
        start = room.timeline.prev_batch
        joins = sum(is_own_join(event, self._user_id) for event in recent)
        exits = any(is_own_exit(event, self._user_id) for event in recent)
        if joins != 1 or exits or start is None or not self._rooms.upgrades.is_heir(room_id):
            return None
        return await self._walker.walk_whole(room_id, start)

    async def _note_state(self, room_id: str, room: JoinedRoom) -> None:
        """Take down what has become of a room: encrypted, replaced, with other members."""
        recent = read_events(RoomEvent, room.timeline.events)
        await self._note_encryption(room_id, (*room.state.events, *room.timeline.events))
        if room.timeline.limited or any(event.type == MEMBER for event in recent):
            self._privacy.members.note_change(room_id)
        for event in (*read_events(RoomEvent, room.state.events), *recent):
            self._rooms.upgrades.note(room_id, event)

    async def _account(
        self, room_id: str, events: Sequence[RoomEvent], walk: Walk, *, missed: bool
    ) -> tuple[list[Inbound], Gap | None]:
        private = await self._private_part(room_id, events)
        await self._privacy.take_back(room_id, events[private:])
        found = await self._translate(room_id, events, private, missed=missed)
        if not walk.complete:
            await self._rooms.report(
                f"Not all that was said in {room_id} while I was away could be read back;"
                " nobody can count what is missing."
            )
        return found, _gap(room_id, found, walk, missed=missed)

    async def _note_encryption(self, room_id: str, events: Sequence[Any]) -> None:
        for event in read_events(RoomEvent, events):
            if _encrypts(event):
                await self._rooms.note_encryption(room_id, event.content)

    async def _private_part(self, room_id: str, events: Sequence[RoomEvent]) -> int:
        """Return from which event on the room was encrypted; the number of events when it was at none.

        When the change is not among them, and it is encrypted, then it was so before the first.
        """
        for index, event in enumerate(events):
            if _encrypts(event):
                return 0 if _was_encrypted_before(event) else index
        return 0 if await self._rooms.is_encrypted(room_id) else len(events)

    async def _is_closed(self, room_id: str) -> bool:
        """Return whether we cannot take part in a room: it is encrypted and we cannot, or we are out of it again."""
        try:
            return await self._rooms.is_closed(room_id)
        except UserError as error:
            self._log.info("room closed to us", room_id=room_id, error=error.message)
            return True

    async def _walk(
        self, room_id: str, room: JoinedRoom, recent: Sequence[RoomEvent], position: str
    ) -> Walk:
        start = room.timeline.prev_batch
        entered = any(is_own_join(event, self._user_id) for event in recent)
        if not room.timeline.limited or entered:
            return Walk()
        if start is None:
            return Walk(complete=False)
        return await self._walker.walk(room_id, start, position)

    async def _translate(
        self, room_id: str, events: Sequence[RoomEvent], private: int, *, missed: bool
    ) -> list[Inbound]:
        found: dict[str, Inbound] = {}
        for index, written in enumerate(events):
            event = await self._privacy.open(room_id, Spoken(written, private=index >= private))
            inbound = None if event is None else to_inbound(event, room_id, self._user_id)
            if inbound is not None:
                found.setdefault(written.event_id, replace(inbound, recovered=missed))
        return list(found.values())


def _encrypts(event: RoomEvent) -> bool:
    return event.type == ENCRYPTION and event.state_key == ""


def _was_encrypted_before(event: RoomEvent) -> bool:
    """Return whether a room's encryption event only changed the rules of one that was encrypted already."""
    unsigned = event.unsigned if isinstance(event.unsigned, dict) else {}
    return bool(unsigned.get("prev_content") or unsigned.get("replaces_state"))


def _since_joined(events: Sequence[RoomEvent], user_id: str) -> Sequence[RoomEvent]:
    """Return what came after we entered the room: earlier words were not said to us."""
    for index in range(len(events) - 1, -1, -1):
        if is_own_join(events[index], user_id):
            return events[index + 1 :]
    return events


def _gap(room_id: str, found: Sequence[Inbound], walk: Walk, *, missed: bool) -> Gap | None:
    texts = sum(inbound.kind is InboundKind.TEXT for inbound in found)
    recovered = texts if missed else 0
    if recovered + walk.lost == 0:
        return None
    return Gap(Address(KIND, room_id), recovered, walk.lost)
