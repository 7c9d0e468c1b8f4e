"""The port CardShelf, for every implementation."""

from bot.backlog.cards import CardDraft, CardFilter, CardStatus
from tests.stages.backlog import ANN, CODER, MINUTE, BacklogStage, refusal


async def ids(backlog: BacklogStage, **asked: object) -> list[str]:
    page = {name: asked.pop(name) for name in ("limit", "cursor") if name in asked}
    cards = await backlog.shelf.list(CardFilter(**asked), **page)  # type: ignore[arg-type]
    return [card.id for card in cards]


async def test_a_new_card_is_ready_and_says_what_was_said(backlog: BacklogStage) -> None:
    await backlog.make("A1")
    draft = CardDraft(
        id="B1",
        title="Schema",
        body="all\nof it",
        phase="M1",
        priority=-3,
        depends_on=("A1", "A1"),
        acceptance=["tests pass", {"coverage": 90.5}],
        idempotency_key="k1",
        agent_class="code",
        agent="coder0",
        host="east",
    )
    card = await backlog.shelf.create(draft, CODER)
    assert (card.status, card.unmet_deps, card.attempts) == (CardStatus.READY, 1, 0)
    assert (card.title, card.body, card.phase, card.priority) == ("Schema", "all\nof it", "M1", -3)
    assert card.depends_on == ("A1",)
    assert card.acceptance == ["tests pass", {"coverage": 90.5}]
    assert (card.agent_class, card.agent, card.host) == ("code", "coder0", "east")
    assert (card.claim_owner, card.claim_token, card.claimed_at) == (None, None, None)
    assert card.created_at == card.updated_at or card.created_at < card.updated_at
    assert await backlog.card("B1") == card


async def test_an_empty_text_means_any(backlog: BacklogStage) -> None:
    draft = CardDraft("A1", title="a", phase="", agent_class="", agent="", host="")
    card = await backlog.shelf.create(draft, ANN)
    assert (card.phase, card.agent_class, card.agent, card.host) == (None, None, None, None)


async def test_dependencies_keep_the_order_in_which_they_were_said(backlog: BacklogStage) -> None:
    await backlog.make("A", "B", "C", "D")
    card = await backlog.shelf.create(CardDraft("X", title="x", depends_on=("C", "A", "B")), ANN)
    assert card.depends_on == ("C", "A", "B")
    card = await backlog.shelf.edit(CardDraft("X", depends_on=("D", "B", "C")), ANN)
    assert card.depends_on == ("C", "B", "D")


async def test_a_repeated_key_answers_with_the_card_unchanged(backlog: BacklogStage) -> None:
    first = await backlog.shelf.create(CardDraft("A1", title="a", idempotency_key="k"), ANN)
    again = CardDraft("A1", title="other", priority=9, idempotency_key="k")
    assert await backlog.shelf.create(again, ANN) == first
    elsewhere = CardDraft("A2", title="other", idempotency_key="k", depends_on=("nowhere",))
    assert await backlog.shelf.create(elsewhere, ANN) == first
    assert await ids(backlog) == ["A1"]
    assert await backlog.actions("A1") == ["create"]


async def test_a_repeated_id_without_its_key_is_refused(backlog: BacklogStage) -> None:
    await backlog.shelf.create(CardDraft("A1", title="a", idempotency_key="k"), ANN)
    for key in (None, "other"):
        draft = CardDraft("A1", title="b", idempotency_key=key)
        assert (await refusal(backlog.shelf.create(draft, ANN))).code == "card_exists"
    kept = await backlog.shelf.create(CardDraft("A2", title="b", idempotency_key="other"), ANN)
    assert kept.id == "A2", "a refused create does not use its key up"


async def test_an_unknown_dependency_is_refused_and_nothing_is_kept(backlog: BacklogStage) -> None:
    draft = CardDraft("A1", title="a", depends_on=("B9",), idempotency_key="k")
    error = await refusal(backlog.shelf.create(draft, ANN))
    assert error.code == "unknown_card"
    assert "B9" in error.message
    assert await ids(backlog) == []
    await backlog.shelf.create(CardDraft("A2", title="a", idempotency_key="k"), ANN)


async def test_a_card_that_would_wait_for_itself_is_refused(backlog: BacklogStage) -> None:
    draft = CardDraft("A1", title="a", depends_on=("A1",))
    assert (await refusal(backlog.shelf.create(draft, ANN))).code == "self_link"


async def test_what_no_card_may_say_is_refused_by_name(backlog: BacklogStage) -> None:
    for draft in (
        CardDraft("-A", title="a"),
        CardDraft("A" * 65, title="a"),
        CardDraft("A\n", title="a"),
        CardDraft("A1", title=""),
        CardDraft("A1", title="t" * 301),
        CardDraft("A1"),
    ):
        error = await refusal(backlog.shelf.create(draft, ANN))
        assert error.code == "invalid"
        assert error.message.split(":")[0] in {"id", "title"}
    assert await ids(backlog) == []


async def test_an_edit_changes_what_it_says_and_history_tells_from_what(
    backlog: BacklogStage,
) -> None:
    await backlog.shelf.create(CardDraft("A1", title="a", phase="M1", host="east"), ANN)
    edited = await backlog.shelf.edit(CardDraft("A1", title="b", priority=7, host=""), CODER)
    assert (edited.title, edited.phase, edited.priority, edited.host) == ("b", "M1", 7, None)
    event = (await backlog.shelf.show("A1"))[1][-1]
    assert (event.actor, event.via, event.action) == (CODER.principal.id, "cli", "edit")
    assert event.detail == {
        "title": {"from": "a", "to": "b"},
        "priority": {"from": 0, "to": 7},
        "host": {"from": "east", "to": None},
    }


async def test_an_edit_that_changes_nothing_leaves_no_trace(backlog: BacklogStage) -> None:
    await backlog.make("A1")
    before = await backlog.card("A1")
    assert await backlog.shelf.edit(CardDraft("A1", title="a1"), ANN) == before
    assert await backlog.actions("A1") == ["create"]


async def test_an_edit_with_a_repeated_key_changes_nothing(backlog: BacklogStage) -> None:
    await backlog.shelf.create(CardDraft("A1", title="a", idempotency_key="k1"), ANN)
    await backlog.shelf.create(CardDraft("A2", title="a"), ANN)
    await backlog.shelf.edit(CardDraft("A1", title="b", idempotency_key="k2"), ANN)
    card = await backlog.shelf.edit(CardDraft("A1", title="c", idempotency_key="k2"), ANN)
    assert (card.title, card.idempotency_key) == ("b", "k1")
    keyed = await backlog.shelf.edit(CardDraft("A2", title="b", idempotency_key="k3"), ANN)
    assert keyed.idempotency_key == "k3"
    error = await refusal(backlog.shelf.edit(CardDraft("A2", title="c", idempotency_key="k2"), ANN))
    assert error.code == "key_taken"


async def test_an_edit_of_dependencies_keeps_the_count_and_refuses_cycles(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A", "B")
    await backlog.make("C", needs=("A",))
    assert (await backlog.shelf.edit(CardDraft("C", depends_on=("A", "B")), ANN)).unmet_deps == 2
    assert (await refusal(backlog.shelf.edit(CardDraft("A", depends_on=("C",)), ANN))).code == (
        "cycle"
    )
    assert (await backlog.card("A")).depends_on == ()
    assert (await backlog.shelf.edit(CardDraft("C", depends_on=()), ANN)).unmet_deps == 0


async def test_an_unknown_id_is_refused_everywhere(backlog: BacklogStage) -> None:
    for asked in (
        backlog.shelf.show("no"),
        backlog.shelf.edit(CardDraft("no", title="t"), ANN),
        backlog.shelf.list(CardFilter(), cursor="no"),
    ):
        error = await refusal(asked)
        assert error.code == "unknown_card"
        assert "'no'" in error.message


async def test_a_list_goes_by_priority_then_age_then_pages(backlog: BacklogStage) -> None:
    await backlog.make("B", "A", priority=1)
    await backlog.make("C", priority=5)
    await backlog.make("D", priority=-1)
    everything = ["C", "B", "A", "D"]
    assert await ids(backlog) == everything
    for ready_only in (False, True):
        seen: list[str] = []
        while page := await ids(
            backlog, limit=1, cursor=seen[-1] if seen else None, ready_only=ready_only
        ):
            seen += page
        assert seen == everything


async def test_a_list_filters_by_status_phase_and_claimability(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    await backlog.make("C", needs=("A",))
    await backlog.shelf.create(CardDraft("D", title="d", phase="M1"), ANN)
    await backlog.dependencies.block("B", None, ANN)
    assert await ids(backlog, status=CardStatus.BLOCKED) == ["B"]
    assert await ids(backlog, phase="M1") == ["D"]
    assert await ids(backlog, status=CardStatus.READY) == ["A", "C", "D"]
    assert await ids(backlog, ready_only=True) == ["A", "D"]
    assert await ids(backlog, ready_only=True, phase="M1") == ["D"]
    assert await ids(backlog, ready_only=True, status=CardStatus.BLOCKED) == []
    assert await ids(backlog, ready_only=True, cursor="B") == ["D"]


async def test_stats_count_by_status(backlog: BacklogStage) -> None:
    empty = await backlog.shelf.stats()
    assert empty.counts == {"ready": 0, "claimed": 0, "blocked": 0, "done": 0}
    assert (empty.total, empty.oldest_ready_age_seconds, empty.expired_claim_count) == (0, None, 0)
    await backlog.make("R1", "R2", "B1", "D1", "C1")
    await backlog.dependencies.block("B1", None, ANN)
    await backlog.claims.complete("D1", None, ANN)
    await backlog.take("C1")
    await backlog.age(2 * MINUTE)
    stats = await backlog.shelf.stats()
    assert stats.counts == {"ready": 2, "claimed": 1, "blocked": 1, "done": 1}
    assert (stats.total, stats.expired_claim_count) == (5, 1)
    assert stats.oldest_ready_age_seconds is not None
    assert stats.oldest_ready_age_seconds >= 0
