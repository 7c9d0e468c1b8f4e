"""Delivers what the mailbox holds: claims under a lease, hands to the carrier, writes down what became of it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.clock.backoff import Backoff
from bot.clock.insistence import Insistence
from bot.errors import PausedError, SetupError, TransientError, UserError
from bot.mail.mailbox import Mailbox
from bot.model import Delivery, MessageKind, Receipt, ReceiptState, SendResult
from bot.ports import Carrier, Outbox
from bot.problem import problem_of

LEASE = timedelta(minutes=2)
"""Longer than the longest that a carrier takes, so that no delivery is taken up twice at once."""

POLL = timedelta(seconds=1)
_BUG_ATTEMPTS = 5
_AWAY = Backoff(timedelta(milliseconds=200), timedelta(seconds=5))
_SETUP_WAIT = timedelta(seconds=15)

Moved = Callable[[Delivery, Receipt], Awaitable[None]]


class Worker:
    """The part that empties the mailbox, one delivery at a time per lane and many lanes at once.

    ``carriers`` are asked for at every round, so a connector may come later. ``moved`` is told of every
    receipt, on the way and at a delivery's end, after it was stored. ``give_up_after`` is the time from the
    first try to the dead letter, without what a pause took. The poll is the promise, ``mailbox.posted`` only a
    hint.
    """

    name = "mailbox"

    def __init__(
        self,
        mailbox: Mailbox,
        outbox: Outbox,
        carriers: Callable[[], Mapping[str, Carrier]],
        moved: Moved,
        *,
        owner: str,
        backoff: Backoff,
        give_up_after: timedelta,
    ) -> None:
        self._mailbox = mailbox
        self._outbox = outbox
        self._carriers = carriers
        self._moved = moved
        self._owner = owner
        self._backoff = backoff
        self._give_up_after = give_up_after
        self._log = structlog.get_logger(part=self.name)
        # What a platform has taken must be written down.
        self._insist = Insistence(_AWAY, self._note_absence)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Deliver until cancelled; what is under way then keeps its lease and is taken up again later."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._mailbox.posted.clear()
                carriers = self._carriers()
                claimed = await self._claim(list(carriers))
                ready(f"serving {', '.join(sorted(carriers)) or 'nobody yet'}")
                for delivery in claimed:
                    carrier = carriers[delivery.outbound.to.carrier]
                    group.create_task(self._deliver(delivery, carrier))
                if not claimed:
                    await self._wait_for_post()

    async def _claim(self, carriers: list[str]) -> Sequence[Delivery]:
        try:
            return await self._outbox.claim(carriers, self._owner, LEASE)
        except TransientError as error:
            self._log.info("database away", error=error.message)
            return ()

    async def _wait_for_post(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL.total_seconds()):
                await self._mailbox.posted.wait()

    async def _deliver(self, delivery: Delivery, carrier: Carrier) -> None:
        async def record(receipt: Receipt) -> None:
            nonlocal delivery
            await self._outbox.record(receipt)
            if receipt.state is ReceiptState.TYPED:  # permitted: from now on bytes may land
                delivery = replace(delivery, typed=True)
            await self._tell(delivery, receipt)

        try:
            result = await _carried(delivery, carrier, record)
        except (TransientError, SetupError) as error:
            await self._put_off(delivery, error)
        except UserError as error:
            if (
                error.code != "withdrawn"
            ):  # or it has its last receipt, and whoever took it back knows
                await self._settle(delivery, SendResult(ReceiptState.FAILED, reason=error.message))
        except Exception as error:  # noqa: BLE001 - a bug in one delivery must not stop the others
            await self._put_off_bug(delivery, error)
        else:
            await self._settle(delivery, result)
        self._mailbox.posted.set()

    async def _tell(self, delivery: Delivery, receipt: Receipt) -> None:
        try:
            await self._moved(delivery, receipt)
        except TransientError as error:  # what is under way must not wait for being talked about
            self._log.info("database away", error=error.message)

    async def _settle(self, delivery: Delivery, result: SendResult) -> None:
        receipt = Receipt(
            message_id=delivery.outbound.message_id,
            state=result.state,
            part=delivery.outbound.part,
            by=result.by,
            evidence=result.evidence,
            reason=result.reason,
        )
        await self._insist(lambda: self._outbox.settle(delivery, receipt, result.platform_id))
        if result.state is ReceiptState.FAILED:
            self._log.warning("dead letter", message=receipt.message_id, reason=result.reason)
        await self._insist(lambda: self._moved(delivery, receipt))

    async def _put_off(self, delivery: Delivery, error: TransientError | SetupError) -> None:
        outbound = delivery.outbound
        if outbound.kind is MessageKind.PROGRESS and outbound.replaces is not None:
            # The next one says more, and nobody's words wait behind it meanwhile.
            await self._settle(delivery, _unsaid(error.message))
            return
        paused = isinstance(error, PausedError)
        # One that was typed at the last moment is still looked for.
        limit = self._give_up_after + (LEASE if delivery.typed else timedelta())
        if not paused and datetime.now(UTC) - delivery.first_tried_at > limit:
            await self._give_up(delivery, f"given up after {limit}: {error.message}")
            return
        wait = self._backoff.wait(delivery.attempts)
        if isinstance(error, SetupError):
            wait = max(wait, _SETUP_WAIT)
        elif error.retry_after is not None:
            wait = error.retry_after
        await self._insist(
            lambda: self._outbox.postpone(delivery, wait, error.message, anew=paused)
        )

    async def _put_off_bug(self, delivery: Delivery, error: Exception) -> None:
        problem = problem_of(error)
        if delivery.attempts >= _BUG_ATTEMPTS:
            await self._give_up(delivery, problem.message)
            return
        wait = self._backoff.wait(delivery.attempts)
        await self._insist(lambda: self._outbox.postpone(delivery, wait, problem.message))

    async def _give_up(self, delivery: Delivery, reason: str) -> None:
        """End a delivery: as failed, unless bytes of it may have landed, for then nobody knows."""
        state = ReceiptState.UNKNOWN if delivery.typed else ReceiptState.FAILED
        await self._settle(delivery, SendResult(state, by=None, reason=reason))

    def _note_absence(self, error: TransientError, attempt: int) -> None:
        self._log.info("database away", error=error.message, attempt=attempt)


async def _carried(
    delivery: Delivery, carrier: Carrier, record: Callable[[Receipt], Awaitable[None]]
) -> SendResult:
    outbound = delivery.outbound
    if outbound.replaces is not None and outbound.replaced_event is None:
        return _unsaid("what it edits was never shown")
    if outbound.replaces is not None and outbound.kind is MessageKind.REACTION:
        stands_on = outbound.replaced_event
        mark = replace(outbound, reply_to=stands_on, replaces=None, replaced_event=None)
        delivery = replace(delivery, outbound=mark)
    return await carrier.carry(delivery, record)


def _unsaid(reason: str) -> SendResult:
    """Return the end of an edit that is not tried again; it is no dead letter, which somebody would look after."""
    return SendResult(ReceiptState.UNKNOWN, by=None, reason=f"not shown: {reason}")
