"""A Hypothesis machine that asks the real store and the pure model the same, and insists on the same answers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bot.backlog.cards import Card, CardDraft, CardFilter, CardStatus
from bot.backlog.shipment import Entry
from bot.errors import UserError
from bot.model import Caller
from storage.database import Database, Target
from storage.migrate import migrate
from tests.stages.backlog import (
    ANN,
    CODER,
    BacklogStage,
    clear,
    memory_stage,
    postgres_stage,
)

IDS = st.sampled_from(["A", "B", "C", "D", "E"])
NEEDS = st.none() | st.lists(IDS, max_size=3).map(tuple)
KEYS = st.none() | st.sampled_from(["k1", "k2", "k3"])
WORDS = st.none() | st.sampled_from(["", "one", "two"])
CALLERS = st.sampled_from([ANN, CODER])
PRIORITIES = st.none() | st.integers(-2, 2)
SECONDS = st.sampled_from([timedelta(seconds=30), timedelta(seconds=90)])
DRAFTS = st.builds(
    CardDraft,
    id=IDS,
    title=st.sampled_from(["one", "two"]),
    body=WORDS,
    phase=WORDS,
    priority=PRIORITIES,
    depends_on=NEEDS,
    acceptance=st.sampled_from([None, [], ["x"], {"y": 1}]),
    idempotency_key=KEYS,
    host=WORDS,
)
ENTRIES = st.lists(
    st.builds(
        Entry,
        DRAFTS,
        status=st.sampled_from([CardStatus.READY, CardStatus.BLOCKED, CardStatus.DONE]),
    ),
    max_size=3,
)
Asked = Callable[[BacklogStage, int], Awaitable[Any]]


def told(answer: Any) -> Any:
    """Return an answer without what may differ: times and the token's text."""
    if not isinstance(answer, Card):
        return answer
    values = asdict(answer)
    values["claim_token"] = answer.claim_token is not None
    for name in ("claimed_at", "claim_expires_at", "archived_at"):
        values[name] = values[name] is not None
    return {
        name: value for name, value in values.items() if name not in {"created_at", "updated_at"}
    }


async def all_of(stage: BacklogStage) -> list[Card]:
    """Return every card, those put away last."""
    shown = await stage.shelf.list(CardFilter())
    return [*shown, *await stage.shelf.list(CardFilter(archived=True))]


class BacklogMachine(RuleBasedStateMachine):
    """Runs each step on both; ``tokens`` pairs the real token of an attempt with the model's."""

    loop: ClassVar[asyncio.AbstractEventLoop]
    database: ClassVar[Database]

    @initialize()
    def begin(self) -> None:
        self.loop.run_until_complete(clear(self.database))
        self.stages = (postgres_stage(self.database), memory_stage())
        self.tokens: list[tuple[str, str]] = [("never", "never")]

    def both(self, asked: Asked) -> list[Any]:
        answers = [self.loop.run_until_complete(self.one(asked, which)) for which in (0, 1)]
        assert told(answers[0]) == told(answers[1]), (told(answers[0]), told(answers[1]))
        return answers

    async def one(self, asked: Asked, which: int) -> Any:
        try:
            return await asked(self.stages[which], which)
        except UserError as error:
            return f"refused: {error.code}"

    @rule(draft=DRAFTS, by=CALLERS)
    def create(self, draft: CardDraft, by: Caller) -> None:
        self.both(lambda stage, _: stage.shelf.create(draft, by))

    @rule(draft=DRAFTS, by=CALLERS)
    def edit(self, draft: CardDraft, by: Caller) -> None:
        self.both(lambda stage, _: stage.shelf.edit(draft, by))

    @rule(entries=ENTRIES, by=CALLERS, update=st.booleans(), dry_run=st.booleans())
    def bring(self, entries: list[Entry], by: Caller, *, update: bool, dry_run: bool) -> None:
        async def landing(stage: BacklogStage, _: int) -> Any:
            landed = await stage.shipments.bring(entries, by, update=update, dry_run=dry_run)
            return landed.created, landed.changed, landed.left, len(landed.faults) > 0

        self.both(landing)

    @rule(
        ttl=SECONDS,
        card_id=st.none() | IDS,
        grace=st.sampled_from([None, timedelta(seconds=10)]),
        by=CALLERS,
    )
    def claim(
        self, ttl: timedelta, card_id: str | None, grace: timedelta | None, by: Caller
    ) -> None:
        cards = self.both(lambda stage, _: stage.claims.claim("w", ttl, card_id, by, grace=grace))
        if isinstance(cards[0], Card):
            self.tokens.append((cards[0].claim_token or "", cards[1].claim_token or ""))

    @rule(card_id=IDS, back=st.integers(1, 3), ttl=st.none() | SECONDS, by=CALLERS)
    def renew(self, card_id: str, back: int, ttl: timedelta | None, by: Caller) -> None:
        tokens = self.token(back)
        self.both(lambda stage, which: stage.claims.renew(card_id, tokens[which], ttl, by))

    @rule(card_id=IDS, back=st.integers(1, 3), by=CALLERS)
    def release(self, card_id: str, back: int, by: Caller) -> None:
        tokens = self.token(back)
        self.both(lambda stage, which: stage.claims.release(card_id, tokens[which], by))

    @rule(card_id=IDS, back=st.integers(0, 3), by=CALLERS)
    def complete(self, card_id: str, back: int, by: Caller) -> None:
        tokens = (None, None) if back == 0 else self.token(back)
        self.both(lambda stage, which: stage.claims.complete(card_id, tokens[which], by))

    def token(self, back: int) -> tuple[str, str]:
        return self.tokens[max(-back, -len(self.tokens))]

    @rule(card_id=st.none() | IDS, by=CALLERS)
    def reclaim(self, card_id: str | None, by: Caller) -> None:
        self.both(lambda stage, _: stage.claims.reclaim(card_id, by))

    @rule(waits=IDS, needed=IDS, by=CALLERS)
    def link(self, waits: str, needed: str, by: Caller) -> None:
        self.both(lambda stage, _: stage.dependencies.link(waits, needed, by))

    @rule(waits=IDS, needed=IDS, by=CALLERS)
    def unlink(self, waits: str, needed: str, by: Caller) -> None:
        self.both(lambda stage, _: stage.dependencies.unlink(waits, needed, by))

    @rule(card_id=IDS, reason=st.sampled_from([None, "one", "two"]), by=CALLERS)
    def block(self, card_id: str, reason: str | None, by: Caller) -> None:
        self.both(lambda stage, _: stage.dependencies.block(card_id, reason, by))

    @rule(card_id=IDS, reason=st.sampled_from([None, "one"]), by=CALLERS)
    def unblock(self, card_id: str, reason: str | None, by: Caller) -> None:
        self.both(lambda stage, _: stage.dependencies.unblock(card_id, by, reason))

    @rule(card_id=IDS, by=CALLERS)
    def archive(self, card_id: str, by: Caller) -> None:
        self.both(lambda stage, _: stage.keeping.archive(card_id, by))

    @rule(card_id=IDS, by=CALLERS)
    def delete(self, card_id: str, by: Caller) -> None:
        self.both(lambda stage, _: stage.keeping.delete(card_id, by))

    @rule(card_id=IDS, by=CALLERS)
    def undo(self, card_id: str, by: Caller) -> None:
        self.both(lambda stage, _: stage.keeping.undo(card_id, by))

    @rule(by=CALLERS)
    def recount(self, by: Caller) -> None:
        assert self.both(lambda stage, _: stage.recount.recount(by))[0] == []

    @rule(seconds=st.sampled_from([20, 100]))
    def age(self, seconds: int) -> None:
        self.both(lambda stage, _: stage.age(timedelta(seconds=seconds)))

    @rule(
        wanted=st.builds(
            CardFilter,
            status=st.none() | st.sampled_from(list(CardStatus)),
            phase=st.sampled_from([None, "one"]),
            owner=st.sampled_from([None, "w"]),
            ready_only=st.booleans(),
            archived=st.booleans(),
        ),
        limit=st.none() | st.integers(1, 3),
        cursor=st.none() | IDS,
    )
    def list(self, wanted: CardFilter, limit: int | None, cursor: str | None) -> None:
        async def ids(stage: BacklogStage, _: int) -> Any:
            cards = await stage.shelf.list(wanted, limit=limit, cursor=cursor)
            return [card.id for card in cards]

        self.both(ids)

    @invariant()
    def every_card_and_its_history_is_the_same(self) -> None:
        async def everything(stage: BacklogStage, _: int) -> Any:
            cards = await all_of(stage)
            return [told(card) for card in cards]

        self.both(everything)

    def teardown(self) -> None:
        async def histories(stage: BacklogStage, _: int) -> Any:
            cards = await all_of(stage)
            shown = [await stage.shelf.show(card.id) for card in cards]
            return [
                [(event.actor, event.via, event.action, event.detail) for event in events]
                for _card, events in shown
            ]

        async def numbers(stage: BacklogStage, _: int) -> Any:
            stats = await stage.shelf.stats()
            return stats.counts, stats.total, stats.expired_claim_count

        self.both(histories)
        self.both(numbers)


@contextmanager
def machine(target: Target) -> Iterator[type[BacklogMachine]]:
    """Lend the machine on a loop of its own: its steps are no coroutines. ``target`` is an empty database."""
    loop, database = asyncio.new_event_loop(), Database()
    loop.run_until_complete(database.open(target))
    loop.run_until_complete(migrate(database))
    try:
        yield type("Machine", (BacklogMachine,), {"loop": loop, "database": database})
    finally:
        loop.run_until_complete(database.close())
        loop.close()


def run(target: Target, *, examples: int, steps: int) -> None:
    """Run so many examples of at most so many steps."""
    with machine(target) as found:
        run_state_machine_as_test(
            found,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
