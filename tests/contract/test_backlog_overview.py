"""What the port Overview promises: lanes with counts, and pieces of the graph."""

from bot.backlog.cards import CardDraft
from bot.backlog.overview import Excerpt, Lane, LaneKind
from tests.stages.backlog import ANN, BacklogStage, refusal


def ids(lane: Lane) -> list[str]:
    return [glance.card.id for glance in lane.cards]


def names(excerpt: Excerpt) -> list[str]:
    return [card.id for card in excerpt.cards]


async def test_an_empty_backlog_has_no_lanes_and_no_graph(backlog: BacklogStage) -> None:
    assert list(await backlog.overview.lanes(LaneKind.STATUS, 5)) == []
    assert await backlog.overview.whole(5) == Excerpt((), 0)


async def test_lanes_by_status_come_in_the_order_of_work(backlog: BacklogStage) -> None:
    await backlog.make("D1", "D2", "C", "B", "R1")
    await backlog.make("R2", priority=5)
    await backlog.make("W", needs=("D1", "B", "C"))
    for card_id in ("D1", "D2"):
        await backlog.claims.complete(card_id, None, ANN)
    await backlog.take("C")
    await backlog.dependencies.block("B", "no key", ANN)
    lanes = await backlog.overview.lanes(LaneKind.STATUS, 10)
    assert [(lane.name, lane.total, ids(lane)) for lane in lanes] == [
        ("ready", 2, ["R2", "R1"]),
        ("waiting", 1, ["W"]),
        ("claimed", 1, ["C"]),
        ("blocked", 1, ["B"]),
        ("done", 2, ["D2", "D1"]),
    ]
    (waiting,) = lanes[1].cards
    assert (waiting.waits_for, waiting.blocked_by) == (("B", "C"), ("B",))
    assert waiting.card.depends_on == ("D1", "B", "C")


async def test_lanes_by_phase_are_sorted_and_show_their_first_cards(backlog: BacklogStage) -> None:
    for number in range(4):
        draft = CardDraft(f"A{number}", title="a", phase="M2", priority=number)
        await backlog.shelf.create(draft, ANN)
    await backlog.shelf.create(CardDraft("B", title="b", phase="M1"), ANN)
    await backlog.make("NONE")
    await backlog.claims.complete("A3", None, ANN)
    lanes = await backlog.overview.lanes(LaneKind.PHASE, 2)
    assert [(lane.name, lane.total, ids(lane)) for lane in lanes] == [
        ("M1", 1, ["B"]),
        ("M2", 4, ["A2", "A1"]),
        ("", 1, ["NONE"]),
    ]


async def test_around_a_card_stand_its_nearest_in_both_directions(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.make("B", needs=("A",))
    await backlog.make("C", needs=("B",))
    await backlog.make("D", needs=("C", "A"))
    await backlog.make("E", needs=("D",))
    await backlog.make("OTHER")
    assert names(await backlog.overview.around("C", 1, 10)) == ["C", "B", "D"]
    assert (await backlog.overview.around("C", 1, 10)).left_out == 2, "A and E"
    assert await backlog.overview.around("C", 9, 2) == Excerpt(
        (await backlog.card("C"), await backlog.card("B")), 3
    )
    assert names(await backlog.overview.around("A", 9, 10)) == ["A", "B", "D", "C", "E"]
    assert (await refusal(backlog.overview.around("NO", 1, 1))).code == "unknown_card"


async def test_the_whole_graph_begins_with_open_cards(backlog: BacklogStage) -> None:
    await backlog.make("A", "B", priority=1)
    await backlog.make("C", priority=9)
    await backlog.claims.complete("C", None, ANN)
    excerpt = await backlog.overview.whole(2)
    assert (names(excerpt), excerpt.left_out) == (["A", "B"], 1)
    assert names(await backlog.overview.whole(9)) == ["A", "B", "C"]
