"""Keeps a placard in every room that wants one: one message, edited when something changed, and pinned."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.errors import MosaicError, SetupError, TransientError, UserError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, derived_id
from bot.ports import Tenure
from bot.reply import Fields, Text
from bot.rooms.placards import PinState, Placard, Placards, State
from bot.rooms.ports import Pins

_CHECK = timedelta(minutes=1)
"""Time between two looks at whether a placard still stands, and may be pinned now."""

_TOPIC_EVERY = timedelta(minutes=10)
"""Every new topic is a line in the room: they are rarer than edits, which are none."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often: a ``look`` at how things stand, at most one edit ``every`` so long, and ``topic`` too or not."""

    every: timedelta = timedelta(seconds=30)
    look: timedelta = timedelta(seconds=5)
    check: timedelta = _CHECK
    topic: bool = False
    topic_every: timedelta = _TOPIC_EVERY


class Showcase:
    """The part ``placards``. ``wanted`` are the rooms, ``pins`` answers for a kind of place, None where there are none.

    ``tell`` hears, once, of a room where we have no power to pin. Of all daemons that are on the rooms' platform one
    keeps them, by its ``tenure``: whoever leads need not be there.
    """

    name = "placards"

    def __init__(
        self,
        placards: Placards,
        mailbox: Mailbox,
        state: Callable[[], Awaitable[State]],
        *,
        wanted: Callable[[], Sequence[Address]],
        pins: Callable[[str], Pins | None],
        tell: Callable[[str], None],
        tenure: Tenure,
        rhythm: Rhythm | None = None,
        clock: Callable[[datetime], str] = lambda at: f"{at:%H:%M} UTC",
    ) -> None:
        self._placards = placards
        self._mailbox = mailbox
        self._state = state
        self._wanted = wanted
        self._pins = pins
        self._tell = tell
        self._tenure = tenure
        self._rhythm = rhythm or Rhythm()
        self._clock = clock
        self._checked: dict[Address, float] = {}
        self._retold: set[str] = set()
        self._topics: dict[Address, tuple[str, float]] = {}
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Keep them until cancelled; TransientError when the database is away."""
        ready("showing how things stand")
        while True:
            async with AsyncExitStack() as stack:
                if self._within_reach() and (lost := await self._held(stack)) is not None:
                    await self._keep_all(lost)
            await self._pause()

    async def _held(self, stack: AsyncExitStack) -> asyncio.Event | None:
        """Hold what one daemon alone may hold until the stack ends; None while another one has it."""
        try:
            return await stack.enter_async_context(self._tenure.hold(self.name))
        except SetupError:
            return None

    async def _keep_all(self, lost: asyncio.Event) -> None:
        """Keep the placards until what we hold is lost, or no room with one is within our reach any more."""
        while (rooms := self._within_reach()) and not lost.is_set():
            state = await self._state()
            for place, pins in rooms:
                await self._keep(place, pins, state)
            await self._pause()

    def _within_reach(self) -> Sequence[tuple[Address, Pins]]:
        found = ((place, self._pins(place.kind)) for place in self._wanted())
        return [(place, pins) for place, pins in found if pins is not None]

    async def _pause(self) -> None:
        await asyncio.sleep(self._rhythm.look.total_seconds())

    async def _keep(self, place: Address, pins: Pins, state: State) -> None:
        placard = await self._placards.find(place)
        due = self._is_due(place)
        if (
            placard is None
            or not placard.stored
            or await self._is_gone(place, placard, pins, due=due)
        ):
            await self._begin(place, placard, state)
        elif placard.event_id is not None:
            await self._edit(place, placard, state)
            if placard.pin is PinState.DUE or (placard.pin is PinState.REFUSED and due):
                await self._pin(place, placard, placard.event_id, pins)
            await self._say_topic(place, state, pins)

    async def _is_gone(self, place: Address, placard: Placard, pins: Pins, *, due: bool) -> bool:
        """Return whether it has to be made anew: it was withdrawn, or was given up in an earlier life of ours."""
        if placard.dead:
            return placard.message_id not in self._retold
        if placard.event_id is None or not due:
            return False
        try:
            return not await pins.stands(place.place, placard.event_id)
        except MosaicError as error:
            self._log.info("placard not seen", place=str(place), error=error.message)
            return False

    def _is_due(self, place: Address) -> bool:
        now = time.monotonic()
        last = self._checked.get(place)
        if last is not None and now - last < self._rhythm.check.total_seconds():
            return False
        self._checked[place] = now
        return True

    async def _begin(self, place: Address, former: Placard | None, state: State) -> None:
        """Write down which message it will be, then store it: a crash in between makes no second one."""
        if former is not None and not former.stored:
            message_id = former.message_id
        else:
            before = "" if former is None else former.message_id
            message_id = derived_id("placard", place.lane, before)
            await self._placards.begin(place, message_id, former)
        self._retold.add(message_id)
        await self._mailbox.post([self._message(message_id, place, state)])
        await self._placards.show(place, state.words)

    async def _edit(self, place: Address, placard: Placard, state: State) -> None:
        now = datetime.now(UTC)
        if state.words == placard.shown:
            return
        if placard.shown_at is not None and now - placard.shown_at < self._rhythm.every:
            return
        # From what it said before follows the edit's id: after a crash in between the same one is posted again.
        since = "" if placard.shown_at is None else placard.shown_at.isoformat()
        edit_id = derived_id("placard edit", placard.message_id, since, state.words)
        await self._mailbox.post([self._message(edit_id, place, state, placard.message_id)])
        await self._placards.show(place, state.words)

    def _message(
        self, message_id: str, place: Address, state: State, replaces: str | None = None
    ) -> Message:
        as_of = ("as of", self._clock(datetime.now(UTC)))
        return Message(
            id=message_id,
            to=place,
            kind=MessageKind.NOTICE,
            blocks=(Text(state.headline), Fields((*state.details, as_of))),
            replaces=replaces,
        )

    async def _pin(self, place: Address, placard: Placard, event_id: str, pins: Pins) -> None:
        try:
            await pins.pin(place.place, event_id, placard.former_event)
        except TransientError as error:
            self._log.info("not pinned yet", place=str(place), error=error.message)
        except UserError as error:
            self._log.info("not pinned", place=str(place), error=error.message)
            if placard.pin is PinState.DUE:
                self._tell(
                    f"I may not pin how things stand in {place.place}: give me the power for"
                    " m.room.pinned_events (Moderator), and it is pinned."
                )
                await self._placards.pin(place, PinState.REFUSED)
        else:
            await self._placards.pin(place, PinState.DONE)

    async def _say_topic(self, place: Address, state: State, pins: Pins) -> None:
        said, at = self._topics.get(place, ("", float("-inf")))
        due = time.monotonic() - at >= self._rhythm.topic_every.total_seconds()
        if not self._rhythm.topic or said == state.headline or not due:
            return
        self._topics[place] = state.headline, time.monotonic()
        try:
            await pins.set_topic(place.place, state.headline)
        except MosaicError as error:
            self._log.info("topic not set", place=str(place), error=error.message)
