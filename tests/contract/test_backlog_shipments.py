"""What the port Shipments promises: all or nothing, once, every fault at once."""

from bot.backlog.cards import CardDraft, CardStatus
from bot.backlog.shipment import Entry, Landing
from tests.stages.backlog import ANN, CODER, MINUTE, BacklogStage


def entry(card_id: str, line: int = 1, *, needs: tuple[str, ...] = (), **said: object) -> Entry:
    """Return an entry that says its id as its title."""
    status = CardStatus(str(said.pop("status", "ready")))
    reason = said.pop("block_reason", None)
    values = {"title": card_id.lower(), "depends_on": needs, **said}
    return Entry(
        CardDraft(card_id, **values),  # type: ignore[arg-type]
        line=line,
        status=status,
        block_reason=None if reason is None else str(reason),
        lines={"depends_on": line + 1},
    )


async def bring(
    backlog: BacklogStage, *entries: Entry, update: bool = False, dry_run: bool = False
) -> Landing:
    return await backlog.shipments.bring(entries, ANN, update=update, dry_run=dry_run)


async def ids(backlog: BacklogStage) -> list[str]:
    return [card.id for card in await backlog.shipments.export()]


async def test_cards_come_in_with_their_edges_in_any_order(backlog: BacklogStage) -> None:
    await backlog.make("OLD")
    landing = await bring(
        backlog, entry("B", needs=("A", "OLD")), entry("A"), entry("C", status="done")
    )
    assert landing == Landing(created=("B", "A", "C"))
    card = await backlog.card("B")
    assert (card.depends_on, card.unmet_deps, card.status) == (("A", "OLD"), 2, CardStatus.READY)
    assert await ids(backlog) == ["OLD", "B", "A", "C"], "the file's order is the order of age"
    assert await backlog.actions("B") == ["import"]
    await backlog.claims.complete("A", None, ANN)
    assert (await backlog.card("B")).unmet_deps == 1


async def test_what_is_done_or_blocked_in_the_file_is_so_in_the_backlog(
    backlog: BacklogStage,
) -> None:
    blocked = entry("B", status="blocked", block_reason="no key")
    await bring(backlog, entry("A", status="done"), blocked, entry("C", needs=("A", "B")))
    card = await backlog.card("B")
    assert (card.status, card.block_reason) == (CardStatus.BLOCKED, "no key")
    assert (await backlog.card("C")).unmet_deps == 1
    event = (await backlog.shelf.show("B"))[1][0]
    assert event.detail["status"]["to"] == "blocked"
    assert event.detail["title"] == {"from": None, "to": "b"}


async def test_the_same_shipment_twice_changes_nothing(backlog: BacklogStage) -> None:
    shipment = (entry("A", idempotency_key="k1"), entry("B", needs=("A",), acceptance=["x", [1]]))
    await bring(backlog, *shipment)
    before = list(await backlog.shipments.export())
    assert await bring(backlog, *shipment) == Landing(left=("A", "B"))
    assert await backlog.shipments.export() == before
    assert await backlog.actions("A") == ["import"]
    other = entry("A", idempotency_key="k1", priority=9)
    assert await bring(backlog, other, update=True) == Landing(left=("A",)), "a key counts once"


async def test_a_change_that_says_no_dependencies_keeps_those_that_are_there(
    backlog: BacklogStage,
) -> None:
    await bring(backlog, entry("A"), entry("B", needs=("A",)))
    said = Entry(CardDraft("B", "other"))
    assert await bring(backlog, said, update=True) == Landing(changed=("B",))
    card = await backlog.card("B")
    assert (card.title, card.depends_on, card.unmet_deps) == ("other", ("A",), 1)


async def test_a_card_that_is_there_and_differs_is_a_fault_unless_it_may_be_changed(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A", "X", "Y")
    await backlog.dependencies.link("A", "X", ANN)
    await backlog.take("X")
    shipment = (entry("N"), entry("A", 7, needs=("Y", "N"), priority=5, phase="M1"))
    refused = await bring(backlog, *shipment)
    assert [(fault.line, fault.field) for fault in refused.faults] == [(7, "id")]
    assert "priority, depends_on" in refused.faults[0].reason
    assert "A" in await ids(backlog)
    assert "N" not in await ids(backlog)
    assert await bring(backlog, *shipment, update=True) == Landing(created=("N",), changed=("A",))
    card = await backlog.card("A")
    assert (card.priority, card.phase, card.depends_on, card.unmet_deps) == (5, "M1", ("Y", "N"), 2)
    assert await backlog.actions("A") == ["create", "link", "import"]
    detail = (await backlog.shelf.show("A"))[1][-1].detail
    assert detail["depends_on"] == {"from": ["X"], "to": ["Y", "N"]}
    assert await bring(backlog, entry("A", needs=()), update=True) == Landing(changed=("A",))
    assert (await backlog.card("A")).unmet_deps == 0


async def test_what_became_of_a_card_is_never_changed(backlog: BacklogStage) -> None:
    await backlog.make("A")
    claimed = await backlog.take("A")
    assert await bring(backlog, entry("A", status="done")) == Landing(left=("A",))
    await bring(backlog, entry("A", priority=3, status="done"), update=True)
    card = await backlog.card("A")
    assert (card.status, card.claim_token, card.priority) == (
        CardStatus.CLAIMED,
        claimed.claim_token,
        3,
    )
    await backlog.claims.renew("A", str(claimed.claim_token), MINUTE, CODER)


async def test_a_dry_run_says_what_would_be_and_writes_nothing(backlog: BacklogStage) -> None:
    await backlog.make("A", "B")
    shipment = (entry("A", priority=1), entry("B"), entry("C", idempotency_key="k"))
    landing = await bring(backlog, *shipment, update=True, dry_run=True)
    assert landing == Landing(created=("C",), changed=("A",), left=("B",))
    assert await ids(backlog) == ["A", "B"]
    assert await backlog.actions("A") == ["create"]
    assert (await bring(backlog, *shipment, update=True)).created == ("C",), "the key is still free"


async def test_all_faults_are_told_at_once_and_nothing_is_written(backlog: BacklogStage) -> None:
    await backlog.make("OLD")
    await backlog.shelf.create(CardDraft("KEYED", title="k", idempotency_key="k1"), ANN)
    landing = await bring(
        backlog,
        entry("GOOD", 1),
        entry("A", 10, needs=("NOWHERE", "OLD")),
        entry("A", 20),
        entry("B", 30, idempotency_key="k1"),
        entry("C", 40, title=None),
        entry("D", 50, needs=("D",)),
        entry("E", 60, idempotency_key="k2"),
        entry("F", 70, idempotency_key="k2"),
    )
    told = [(fault.line, fault.field) for fault in landing.faults]
    assert told == [
        (11, "depends_on"),
        (20, "id"),
        (30, "idempotency_key"),
        (40, "title"),
        (51, "depends_on"),
        (70, "idempotency_key"),
    ]
    reasons = [fault.reason for fault in landing.faults]
    assert "'NOWHERE'" in reasons[0]
    assert "line 10" in reasons[1]
    assert "KEYED" in reasons[2]
    assert "D → D" in reasons[4]
    assert "line 60" in reasons[5]
    assert await ids(backlog) == ["OLD", "KEYED"]
    kept = await backlog.shelf.create(CardDraft("E", title="e", idempotency_key="k2"), ANN)
    assert kept.id == "E", "a refused shipment does not use its keys up"


async def test_a_cycle_through_cards_of_the_backlog_is_named(backlog: BacklogStage) -> None:
    await backlog.make("X")
    await backlog.make("Y", needs=("X",))
    await backlog.make("Z", needs=("Y",))
    landing = await bring(
        backlog, entry("X", 5, needs=("N",)), entry("N", 9, needs=("Z",)), update=True
    )
    assert len(landing.faults) == 1
    assert "X → N → Z → Y → X" in landing.faults[0].reason
    assert (await backlog.card("X")).depends_on == ()


async def test_an_empty_shipment_and_an_empty_backlog_are_no_faults(backlog: BacklogStage) -> None:
    assert await bring(backlog) == Landing()
    assert await backlog.shipments.export() == []
