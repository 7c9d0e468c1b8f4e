"""Mail to an agent, through its program's hatch or typed: the carrier of the lane ``agent:HOST`` (spec 4-receipts)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bot.errors import PausedError, TransientError, UserError
from bot.model import Delivery, OutboundMessage, Queueing, Receipt, ReceiptState, SendResult
from bot.supervision.pause import Pauses
from fleet.delivery.handover import Handover
from fleet.delivery.keyboard import (
    HELD,
    Enters,
    Keyboard,
    Look,
    Patience,
    find_proof,
    is_held,
    look_at,
)
from fleet.delivery.obstacles import WORKING, obstacle
from fleet.health.heartbeat import Heartbeat, read_heartbeat
from fleet.host.local import Door, LocalFleet
from fleet.lock import held
from fleet.runtimes import Proof
from fleet.tmux.screen import ScreenState
from fleet.turns.envelope import wrap
from fleet.turns.events import size_of

Record = Callable[[Receipt], Awaitable[None]]

_AGAIN = timedelta(seconds=1)
_KEYBOARD = "keyboard"


@dataclass(slots=True)
class _Trace:
    """What is remembered of a message that was typed and is not proven: since when, and which Enters it has left."""

    since: float | None = None
    enters: Enters = field(default_factory=Enters)


class AgentCarrier:
    """Brings mail to this host's agents, one message at a time per pane.

    It hands a message over through a program's hatch where one is open, beside whatever draft stands there. Else it
    types, into an empty prompt that it positively recognises and into nothing else. What it waits for is recorded
    once per reason. A message that was typed or handed over before is never given again: it is looked for, for a
    while, and submitted if it still stands in the prompt; nobody else's mail is typed there meanwhile. Before the
    first byte it asks whether a pause forbids it; what has begun then is finished.
    """

    def __init__(self, fleet: LocalFleet, pauses: Pauses, patience: Patience | None = None) -> None:
        self._fleet = fleet
        self._pauses = pauses
        self._patience = patience or Patience()
        self._waiting: dict[str, str] = {}
        self._held_back: set[str] = set()
        self._traces: dict[str, _Trace] = {}
        self._log = structlog.get_logger(part="delivery")

    async def carry(self, delivery: Delivery, record: Record) -> SendResult:
        """Deliver one message and return its graded fate.

        TransientError while the agent cannot take it now, UserError when there is no such agent, or none
        that runs.
        """
        message_id = delivery.outbound.message_id
        name = delivery.outbound.to.place.partition("/")[2]
        try:
            result = await self._carry(delivery, name, record)
        except PausedError as error:
            if not delivery.typed:
                await self._wait(delivery, record, error.message, {})
            self._stop_clock(message_id)
            raise
        except TransientError:
            raise
        except UserError as error:
            self._forget(message_id)
            if delivery.typed:
                return _lost(f"typed, and nothing proves that it arrived: {error.message}")
            raise
        self._forget(message_id)
        self._log.info("mail carried", message=message_id, agent=name, state=result.state.value)
        return result

    def _forget(self, message_id: str) -> None:
        self._waiting.pop(message_id, None)
        self._traces.pop(message_id, None)
        self._held_back.discard(message_id)

    async def _carry(self, delivery: Delivery, name: str, record: Record) -> SendResult:
        if delivery.typed and (proof := self._proof(delivery, name)) is not None:
            return proof
        door = await self._fleet.door(name)
        if delivery.typed:
            result = await self._recollect(door, delivery)
        else:
            result = await self._give(door, delivery, record)
        if result.state is ReceiptState.UNKNOWN:
            await self._look_again(door, delivery, record, result)
        return result

    def _proof(self, delivery: Delivery, name: str) -> SendResult | None:
        return find_proof(self._fleet.places.events_file(name), delivery.outbound.message_id)

    async def _give(self, door: Door, delivery: Delivery, record: Record) -> SendResult:
        """Give a message to an agent at once, or as soon as nothing is in the way."""
        found = await self._attempt(door, delivery, record)
        if isinstance(found, str):
            await self._prompt(door, delivery, record)
            found = await self._attempt(door, delivery, record)
        if isinstance(found, str):
            raise TransientError(f"{door.agent.name}: {found}", retry_after=_AGAIN)
        return found

    async def _attempt(self, door: Door, delivery: Delivery, record: Record) -> SendResult | str:
        """Type if nothing is in the way, else return what is. The look that counts is the one under the lock."""
        lock = self._fleet.places.typing_lock_file(door.agent.name)
        async with held(lock, self._patience.lock):
            hatch = self._hatch(door, delivery)
            conversation = None if hatch is None else await hatch.knock()
            seen = await look_at(door)
            reason = self._obstacle(door, seen, delivery, spares_drafts=conversation is not None)
            if reason is not None:
                await self._wait(delivery, record, reason, seen.evidence())
                return reason
            if hatch is not None and conversation is not None:
                return await self._hand_over(door, delivery, record, hatch, conversation)
            return await self._type(door, delivery, record)

    async def _recollect(self, door: Door, delivery: Delivery) -> SendResult:
        async with held(self._fleet.places.typing_lock_file(door.agent.name), self._patience.lock):
            hatch = self._hatch(door, delivery)
            if hatch is not None and hatch.is_under_way:
                return _by_way_of(hatch.way, await hatch.recollect())
            await self._heed_pause(delivery)
            return _by_way_of(_KEYBOARD, await self._keyboard(door, delivery).recollect())

    async def _look_again(
        self, door: Door, delivery: Delivery, record: Record, result: SendResult
    ) -> None:
        """Raise TransientError for as long as a message's fate may still become known.

        The time in which its program is held, or a pause keeps it from its Enter, does not count.
        """
        now = asyncio.get_running_loop().time()
        trace = self._traces.setdefault(delivery.outbound.message_id, _Trace())
        if not self._may_be_proven(door, delivery, result):
            return
        reason = f"typed, and not proven yet: {result.reason}"
        if trace.since is None:
            await self._wait(delivery, record, reason, result.evidence)
        if trace.since is None or is_held(door):
            trace.since = now
        if now - trace.since >= self._patience.afterwards.total_seconds():
            return
        raise TransientError(f"{door.agent.name}: {reason}", retry_after=_AGAIN)

    def _may_be_proven(self, door: Door, delivery: Delivery, result: SendResult) -> bool:
        """Whether time may tell what became of a message: its program took it, or may still show it.

        What an earlier life of ours typed is not waited for at an empty prompt: our own start took long enough.
        """
        hatch = self._hatch(door, delivery)
        if hatch is not None and hatch.is_under_way:
            return hatch.may_be_proven
        if door.runtime.proof is Proof.SCREEN:
            return False
        inherited = delivery.typed and self._traces[delivery.outbound.message_id].since is None
        at_prompt = result.evidence.get("state") == ScreenState.PROMPT
        return not (inherited and at_prompt and not is_held(door))

    def _stop_clock(self, message_id: str) -> None:
        """Begin anew with the time for which a message is looked for, if it is."""
        trace = self._traces.get(message_id)
        if trace is not None and trace.since is not None:
            trace.since = asyncio.get_running_loop().time()

    def _hatch(self, door: Door, delivery: Delivery) -> Handover | None:
        """Return the way through a hatch; the proof of a message that was given before may stand anywhere."""
        events = self._fleet.places.events_file(door.agent.name)
        since = 0 if delivery.typed else size_of(events)
        message_id = delivery.outbound.message_id
        return Handover.to(door, events, message_id, self._patience, since=since)

    async def _hand_over(
        self, door: Door, delivery: Delivery, record: Record, hatch: Handover, conversation: str
    ) -> SendResult:
        evidence = {
            "pane": door.pane.id,
            "launch": door.pane.launch,
            "way": hatch.way,
            "session_id": conversation,
            "offset": hatch.since,
        }
        await record(_receipt(delivery, ReceiptState.TYPED, None, evidence))
        result = await hatch.give(conversation, _text(delivery.outbound))
        if result is not None:
            return _by_way_of(hatch.way, result)
        # Certainly nothing was handed over, so it may be typed as if nothing had been.
        reason = self._obstacle(door, await look_at(door), delivery)
        if reason is not None:
            raise UserError(
                f"refused: {door.agent.name} took nothing, and {reason}", code="refused"
            )
        return await self._type(door, delivery, record)

    async def _type(self, door: Door, delivery: Delivery, record: Record) -> SendResult:
        keyboard = self._keyboard(door, delivery)
        evidence = {
            "pane": door.pane.id,
            "launch": door.pane.launch,
            "way": _KEYBOARD,
            "session_id": keyboard.session_id,
            "offset": keyboard.since,
        }
        await record(_receipt(delivery, ReceiptState.TYPED, None, evidence))
        return _by_way_of(_KEYBOARD, await keyboard.type())

    def _keyboard(self, door: Door, delivery: Delivery) -> Keyboard:
        """Return the keys for a message; the proof of one that was typed before may stand anywhere."""
        message_id, beat = delivery.outbound.message_id, self._beat(door)
        keyboard = Keyboard(
            door,
            self._fleet.places,
            message_id,
            _text(delivery.outbound),
            self._patience,
            enters=self._traces.setdefault(message_id, _Trace()).enters,
        )
        if delivery.typed:
            return keyboard
        return replace(
            keyboard,
            since=size_of(self._fleet.places.events_file(door.agent.name)),
            # A beat that the lookout wrote bears the launch, not the program's own session.
            session_id=beat.session_id if beat is not None and door.beats_itself else None,
            holds_on=True,
        )

    # -- waiting ---------------------------------------------------------------------------------------

    async def _prompt(self, door: Door, delivery: Delivery, record: Record) -> None:
        """Wait, for a while, until the agent shows an empty prompt, or takes a message beside a draft."""
        queueing = delivery.outbound.queueing
        interrupted = delivery.attempts > 1 and delivery.outbound.message_id not in self._held_back
        deadline = asyncio.get_running_loop().time() + self._patience.prompt.total_seconds()
        while True:
            seen = await look_at(door)
            reason = self._obstacle(door, seen, delivery)
            if reason is None or await self._spares_draft(door, seen, delivery):
                return
            await self._wait(delivery, record, reason, seen.evidence())
            if seen.reading.state in WORKING and queueing is Queueing.INTERRUPT and not interrupted:
                interrupted = await self._interrupt(door, delivery)
            if asyncio.get_running_loop().time() > deadline:
                raise TransientError(f"{door.agent.name}: {reason}", retry_after=_AGAIN)
            await asyncio.sleep(self._patience.look.total_seconds())

    async def _interrupt(self, door: Door, delivery: Delivery) -> bool:
        """End an agent's turn by its own key, unless it has just ended; true when the key was pressed."""
        async with held(self._fleet.places.typing_lock_file(door.agent.name), self._patience.lock):
            if (await look_at(door)).reading.state not in WORKING:
                return False
            await self._heed_pause(delivery)
            self._held_back.discard(delivery.outbound.message_id)
            self._log.info("turn interrupted", agent=door.agent.name)
            return await door.terminal.press(door.pane.id, door.runtime.interrupt)

    async def _heed_pause(self, delivery: Delivery) -> None:
        """Refuse a key that is not the message's own, which the permit to type (Outbox.record) guards."""
        pause = await self._pauses.current()
        if pause is not None and pause.forbids_typing(delivery.outbound.author):
            self._held_back.add(delivery.outbound.message_id)
            raise PausedError(pause.notice(), retry_after=_AGAIN)

    async def _spares_draft(self, door: Door, seen: Look, delivery: Delivery) -> bool:
        """Whether a draft is all that stands in the way, and the program takes a message beside it."""
        hatch = self._hatch(door, delivery)
        if hatch is None or self._obstacle(door, seen, delivery, spares_drafts=True) is not None:
            return False
        return await hatch.knock() is not None

    def _obstacle(
        self, door: Door, seen: Look, delivery: Delivery, *, spares_drafts: bool = False
    ) -> str | None:
        """Return why nothing may be typed now, None when it may; UserError when it never will."""
        if seen.reading.state is ScreenState.DEAD:
            raise UserError(f"{door.agent.name} is not running", code="dead")
        queueing, queues = delivery.outbound.queueing, door.runtime.queues
        reason = obstacle(seen.reading, queueing, queues=queues, spares_drafts=spares_drafts)
        return reason or self._silence(door)

    def _silence(self, door: Door) -> str | None:
        """Return why a prompt may be no more than a picture: its program does not beat, or knows nothing yet."""
        if not door.is_told:
            return "it has not been told who it is yet"
        if is_held(door):
            return HELD
        if not door.beats_itself:
            return None
        beat = self._beat(door)
        if beat is None:
            return "it has not begun to beat"
        stale = beat.age(datetime.now(UTC)) > self._fleet.thresholds.stale
        return "its heartbeat is stale" if stale else None

    def _beat(self, door: Door) -> Heartbeat | None:
        created = datetime.fromtimestamp(door.pane.created, UTC)
        return read_heartbeat(self._fleet.places.heartbeat_file(door.agent.name), created)

    async def _wait(
        self, delivery: Delivery, record: Record, reason: str, evidence: Mapping[str, Any]
    ) -> None:
        message_id = delivery.outbound.message_id
        if self._waiting.get(message_id) == reason:
            return
        self._waiting[message_id] = reason
        await record(_receipt(delivery, ReceiptState.WAITING, reason, dict(evidence)))
        self._log.info(
            "mail waits", message=message_id, to=delivery.outbound.to.place, reason=reason
        )


def _text(outbound: OutboundMessage) -> str:
    return wrap(
        message_id=outbound.message_id,
        author=outbound.author,
        to=outbound.to,
        tag=outbound.tag,
        body=outbound.text,
    )


def _receipt(
    delivery: Delivery, state: ReceiptState, reason: str | None, evidence: dict[str, Any]
) -> Receipt:
    receipt = Receipt(delivery.outbound.message_id, state, part=delivery.outbound.part)
    return replace(receipt, evidence=evidence, reason=reason)


def _by_way_of(way: str, result: SendResult) -> SendResult:
    return replace(result, evidence={**result.evidence, "way": way})


def _lost(reason: str) -> SendResult:
    return SendResult(ReceiptState.UNKNOWN, by=None, reason=reason)
