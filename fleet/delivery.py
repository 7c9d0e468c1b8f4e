"""Mail into an agent's terminal: the carrier of the lane ``agent:HOST`` (spec 4-receipts)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from bot.errors import TransientError, UserError
from bot.model import Delivery, OutboundMessage, Queueing, Receipt, ReceiptState, SendResult
from fleet.envelope import wrap
from fleet.events import size_of
from fleet.heartbeat import Heartbeat, read_heartbeat
from fleet.keyboard import (
    HELD,
    Enters,
    Keyboard,
    Look,
    Patience,
    find_proof,
    is_held,
    look_at,
)
from fleet.local import Door, LocalFleet
from fleet.lock import held
from fleet.obstacles import WORKING, obstacle
from fleet.runtimes import Proof
from fleet.screen import ScreenState

Record = Callable[[Receipt], Awaitable[None]]

_AGAIN = timedelta(seconds=1)


@dataclass(slots=True)
class _Trace:
    """What is remembered of a message that was typed and is not proven: since when, and which Enters it has left."""

    since: float | None = None
    enters: Enters = field(default_factory=Enters)


class AgentCarrier:
    """Types mail into the panes of this host's agents, one message at a time per pane.

    It types into an empty prompt that it positively recognises and into nothing else; what it waits for
    is recorded once per reason. A message that was typed before is never typed again: it is looked for, for a
    while, and submitted if it still stands in the prompt. Nobody else's mail is typed there meanwhile.
    """

    def __init__(self, fleet: LocalFleet, patience: Patience | None = None) -> None:
        self._fleet = fleet
        self._patience = patience or Patience()
        self._waiting: dict[str, str] = {}
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

    async def _carry(self, delivery: Delivery, name: str, record: Record) -> SendResult:
        if delivery.typed and (proof := self._proof(delivery, name)) is not None:
            return proof
        door = await self._fleet.door(name)
        if not delivery.typed:
            await self._prompt(door, delivery, record)
        async with held(self._fleet.places.typing_lock_file(name), self._patience.lock):
            if delivery.typed:
                result = await self._keyboard(door, delivery).recollect()
            else:
                result = await self._type_at_prompt(door, delivery, record)
        if result.state is ReceiptState.UNKNOWN:
            await self._look_again(door, delivery, record, result)
        return result

    def _proof(self, delivery: Delivery, name: str) -> SendResult | None:
        return find_proof(self._fleet.places.events_file(name), delivery.outbound.message_id)

    async def _type_at_prompt(self, door: Door, delivery: Delivery, record: Record) -> SendResult:
        # Another process may have typed while we waited for the lock: the look that counts is this one.
        seen = await look_at(door)
        if (reason := self._obstacle(door, seen, delivery)) is not None:
            await self._wait(delivery, record, reason, seen.evidence())
            raise TransientError(f"{door.agent.name}: {reason}", retry_after=_AGAIN)
        keyboard = self._keyboard(door, delivery)
        evidence = {
            "pane": door.pane.id,
            "launch": door.pane.launch,
            "session_id": keyboard.session_id,
            "offset": keyboard.since,
        }
        await record(_receipt(delivery, ReceiptState.TYPED, None, evidence))
        return await keyboard.type()

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

    async def _look_again(
        self, door: Door, delivery: Delivery, record: Record, result: SendResult
    ) -> None:
        """Raise TransientError for as long as a message's fate may still become known.

        The time in which its program is held does not count. What an earlier life of ours typed is not waited
        for at an empty prompt: our own start took long enough.
        """
        now = asyncio.get_running_loop().time()
        trace = self._traces.setdefault(delivery.outbound.message_id, _Trace())
        at_prompt = result.evidence.get("state") == ScreenState.PROMPT
        inherited = delivery.typed and trace.since is None
        if door.runtime.proof is Proof.SCREEN or (inherited and at_prompt and not is_held(door)):
            return
        reason = f"typed, and not proven yet: {result.reason}"
        if trace.since is None:
            await self._wait(delivery, record, reason, result.evidence)
        if trace.since is None or is_held(door):
            trace.since = now
        if now - trace.since >= self._patience.afterwards.total_seconds():
            return
        raise TransientError(f"{door.agent.name}: {reason}", retry_after=_AGAIN)

    # -- waiting ---------------------------------------------------------------------------------------

    async def _prompt(self, door: Door, delivery: Delivery, record: Record) -> None:
        """Wait, for a while, until the agent shows an empty prompt."""
        queueing, interrupted = delivery.outbound.queueing, delivery.attempts > 1
        deadline = asyncio.get_running_loop().time() + self._patience.prompt.total_seconds()
        while True:
            seen = await look_at(door)
            reason = self._obstacle(door, seen, delivery)
            if reason is None:
                return
            await self._wait(delivery, record, reason, seen.evidence())
            if seen.reading.state in WORKING and queueing is Queueing.INTERRUPT and not interrupted:
                interrupted = await self._interrupt(door)
            if asyncio.get_running_loop().time() > deadline:
                raise TransientError(f"{door.agent.name}: {reason}", retry_after=_AGAIN)
            await asyncio.sleep(self._patience.look.total_seconds())

    async def _interrupt(self, door: Door) -> bool:
        """End an agent's turn by its own key, unless it has just ended; true when the key was pressed."""
        async with held(self._fleet.places.typing_lock_file(door.agent.name), self._patience.lock):
            if (await look_at(door)).reading.state not in WORKING:
                return False
            self._log.info("turn interrupted", agent=door.agent.name)
            return await door.terminal.press(door.pane.id, door.runtime.interrupt)

    def _obstacle(self, door: Door, seen: Look, delivery: Delivery) -> str | None:
        """Return why nothing may be typed now, None when it may; UserError when it never will."""
        if seen.reading.state is ScreenState.DEAD:
            raise UserError(f"{door.agent.name} is not running", code="dead")
        queueing, queues = delivery.outbound.queueing, door.runtime.queues
        return obstacle(seen.reading, queueing, queues=queues) or self._silence(door)

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


def _lost(reason: str) -> SendResult:
    return SendResult(ReceiptState.UNKNOWN, by=None, reason=reason)
