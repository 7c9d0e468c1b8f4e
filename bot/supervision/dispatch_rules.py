"""What an open dispatch needs next: one pure function of what is known (card, receipts, register)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from bot.agents.failure import FailureKind, failure_in
from bot.backlog.cards import Card, CardStatus
from bot.model import Receipt, ReceiptState
from bot.supervision.ports import AVAILABLE, WORKING, OpenDispatch, Outcome, Worker

_UNTYPED = frozenset({ReceiptState.STORED, ReceiptState.WAITING})
_TAKEN = frozenset({ReceiptState.ACCEPTED, ReceiptState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the supervisor waits for what.

    ``accept``: for a prompt to be taken. ``quiet``: how long a taken prompt's agent must stand at its prompt
    before its turn counts as ended though nobody said so. ``claim``: a claim's time to live; with half of it
    gone a working agent's claim is renewed.
    """

    accept: timedelta = timedelta(seconds=60)
    quiet: timedelta = timedelta(seconds=30)
    claim: timedelta = timedelta(seconds=900)

    @property
    def grace(self) -> timedelta:
        """The time in which a claim must turn into work, or it ends by itself."""
        return min(self.claim, 2 * self.accept)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do; ``sentence`` says for what it waits."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Send:
    """The card's prompt is not stored yet."""


@dataclass(frozen=True, slots=True)
class Ask:
    """The turn ended and the card is not completed: ask once."""


@dataclass(frozen=True, slots=True)
class Renew:
    """There is evidence of work: the claim's time begins anew."""

    evidence: str


@dataclass(frozen=True, slots=True)
class End:
    """It is over. A prompt that may still be typed is taken back first; if it cannot be, it is not over."""

    outcome: Outcome
    reason: str | None
    withdraw: str | None = None


Step: TypeAlias = Wait | Send | Ask | Renew | End


def next_step(
    progress: OpenDispatch,
    worker: Worker | None,
    now: datetime,
    patience: Patience,
    *,
    paused: bool,
) -> Step:
    """Return what a dispatch needs. While ``paused`` nobody is told anything, and nobody is late."""
    over = _over(progress, now)
    if over is not None:
        return over
    if worker is None:
        return _give_up(progress, "the agent is not in the fleet any more")
    if worker.is_silent(now):
        return Wait(f"{worker.host} says nothing since {worker.host_seen_at:%H:%M:%S} UTC")
    if worker.sighting.readiness == "dead":
        return _give_up(progress, f"its program ended: {worker.sighting.evidence}")
    if progress.ask_at is not None:
        return _after_asking(progress, worker, now, patience, paused=paused)
    return _after_sending(progress, worker, now, patience, paused=paused)


def _over(progress: OpenDispatch, now: datetime) -> End | None:
    """Return the end of a dispatch whose claim has ended by itself."""
    dispatch, card = progress.dispatch, progress.card
    if card is None:
        return _give_up(progress, "the card was deleted")
    if card.status is CardStatus.DONE:
        return End(Outcome.COMPLETED, None, _open_message(progress))
    if card.claim_token != dispatch.claim_token:
        return _give_up(progress, _whose(card))
    if card.claim_expires_at is not None and card.claim_expires_at <= now:
        return _give_up(progress, "the claim ran out: there was no evidence of work")
    return None


def _whose(card: Card) -> str:
    match card.status:
        case CardStatus.BLOCKED:
            return f"the card was blocked: {card.block_reason or 'no reason was given'}"
        case CardStatus.CLAIMED:
            return f"{card.claim_owner} has the card now"
    return "the claim ended before the card was done"


def _give_up(progress: OpenDispatch, reason: str) -> End:
    return End(Outcome.LOST, reason, _open_message(progress))


def _open_message(progress: OpenDispatch) -> str | None:
    """Return the message that may still be typed, the question rather than the prompt."""
    for said, id_ in (
        (progress.ask, progress.dispatch.ask_id),
        (progress.prompt, progress.dispatch.message_id),
    ):
        if said is not None and said.state in _UNTYPED:
            return id_
    return None


def _after_sending(
    progress: OpenDispatch, worker: Worker, now: datetime, patience: Patience, *, paused: bool
) -> Step:
    prompt, sent_at = progress.prompt, progress.prompt_at
    if prompt is None or sent_at is None:
        return Wait("the fleet is paused") if paused else Send()
    late = now - sent_at > patience.accept and not paused
    if prompt.state in _UNTYPED:
        return _refused(progress, prompt, late=late)
    if prompt.state is ReceiptState.FAILED:
        return _failed(prompt)
    if prompt.state is ReceiptState.TYPED:
        return Wait("its prompt is being typed")
    if prompt.state is ReceiptState.ANSWERED or _stands_idle(prompt, worker, now, patience):
        return Wait("its turn ended; the fleet is paused") if paused else Ask()
    return _renew_or_wait(progress, worker, now, patience)


def _after_asking(
    progress: OpenDispatch, worker: Worker, now: datetime, patience: Patience, *, paused: bool
) -> Step:
    ask, asked_at = progress.ask, progress.ask_at
    if ask is None or asked_at is None:
        return Wait("it is being asked")
    if ask.state in _UNTYPED:
        late = now - asked_at > patience.accept and not paused
        return _forgotten(progress, "could not be asked") if late else Wait("it is to be asked")
    if ask.state is ReceiptState.FAILED:
        return _failed(ask)
    if ask.state is ReceiptState.ANSWERED or _stands_idle(ask, worker, now, patience):
        return _forgotten(progress, "ended its turn again after it was asked")
    return _renew_or_wait(progress, worker, now, patience)


def _refused(progress: OpenDispatch, prompt: Receipt, *, late: bool) -> Step:
    why = prompt.reason or "nobody took it"
    if not late:
        return Wait(f"its prompt waits: {why}")
    reason = f"the prompt was not accepted in time: {why}"
    return End(Outcome.REFUSED, reason, progress.dispatch.message_id)


def _failed(said: Receipt) -> End:
    """Return the end of what was never taken, or of a turn that a limit, an error or a person ended."""
    ended = {None: Outcome.REFUSED, FailureKind.LIMIT: Outcome.LIMITED}
    outcome = ended.get(failure_in(said), Outcome.FAILED)
    return End(outcome, said.reason or "no reason is known")


def _forgotten(progress: OpenDispatch, what: str) -> End:
    reason = f"the turn ended without completing the card, and the agent {what}"
    return End(Outcome.FORGOTTEN, reason, _open_message(progress))


def _stands_idle(said: Receipt, worker: Worker, now: datetime, patience: Patience) -> bool:
    """Whether the agent has what was said and yet stands at its prompt, and did for a while."""
    if said.state not in _TAKEN or worker.sighting.readiness != AVAILABLE:
        return False
    since = worker.since if said.at is None else max(worker.since, said.at)
    return now - since > patience.quiet


def _renew_or_wait(
    progress: OpenDispatch, worker: Worker, now: datetime, patience: Patience
) -> Step:
    card = progress.card
    sighting = worker.sighting
    said = f"{sighting.readiness}: {sighting.evidence}"
    expires = None if card is None else card.claim_expires_at
    due = expires is not None and expires - now < patience.claim / 2
    if sighting.readiness == WORKING and due:
        return Renew(said)
    return Wait(said)
