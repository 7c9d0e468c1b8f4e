"""What the ports Threads and NewsFeed promise: whose thread it is, and what is news there."""

from datetime import UTC, datetime

import pytest

from bot.backlog.threads import sentence_of
from bot.model import Address, Caller, Inbound, Principal, Via
from tests.stages.backlog import ANN, CODER, MINUTE, BacklogStage, refusal

OPS = Address("matrix", "!ops:e.org", "$root")
BOB = Caller(Principal("matrix:@bob:example.org", "Bob"), Via.CHAT)


def said(event_id: str, source: Address, by: Caller = ANN) -> Inbound:
    return Inbound(event_id, source, by.principal, "!backlog …", datetime.now(UTC))


async def news(backlog: BacklogStage) -> list[tuple[str, str]]:
    """Return what is news, as card and sentence."""
    position = await backlog.news.position()
    return [(one.card_id, sentence_of(one)) for one in await backlog.news.after(position, 100)]


async def test_a_card_has_one_thread_a_platform_and_a_thread_one_card(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A", "B")
    assert await backlog.threads.bind("A", OPS)
    assert await backlog.threads.bind("A", OPS), "repeating it changes nothing"
    other = Address("matrix", "!ops:e.org", "$other")
    assert not await backlog.threads.bind("A", other), "the card has a thread there"
    assert not await backlog.threads.bind("B", OPS), "the thread has a card"
    console = Address("tmux", "console")
    assert await backlog.threads.bind("A", console)
    assert await backlog.threads.bind("B", console), "a room without threads may be many cards'"
    assert list(await backlog.threads.find("A")) == [OPS, console]
    assert await backlog.threads.card_in(OPS) == "A"
    assert await backlog.threads.card_in(other) is None
    assert await backlog.threads.card_in(console) is None
    assert (await refusal(backlog.threads.bind("NO", other))).code == "unknown_card"


async def test_who_holds_a_thread_s_card_is_known_while_it_is_held(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.threads.bind("A", OPS)
    assert await backlog.threads.holder_in(OPS) is None
    await backlog.take("A", owner="agent:east/coder0")
    assert await backlog.threads.holder_in(OPS) == "agent:east/coder0"
    assert await backlog.threads.holder_in(Address("matrix", "!ops:e.org")) is None
    await backlog.claims.complete("A", None, ANN)
    assert await backlog.threads.holder_in(OPS) is None


async def test_a_dispatch_s_mail_has_its_card_s_thread_as_soon_as_there_is_one(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A")
    await backlog.dispatched("A", "m1")
    assert await backlog.threads.of_dispatch("m1") is None
    await backlog.threads.bind("A", OPS)
    assert await backlog.threads.of_dispatch("m1") == OPS
    await backlog.threads.bind("A", Address("console", "c"))
    assert await backlog.threads.of_dispatch("m1") == Address("console", "c")
    assert await backlog.threads.of_dispatch("m2") is None


async def test_changes_of_a_status_are_news_in_every_thread_of_the_card(
    backlog: BacklogStage,
) -> None:
    await backlog.make("A", "UNBOUND")
    console = Address("tmux", "console")
    await backlog.threads.bind("A", OPS)
    await backlog.threads.bind("A", console)
    await backlog.take("UNBOUND")
    card = await backlog.take("A")
    await backlog.claims.renew("A", str(card.claim_token), MINUTE, CODER)
    await backlog.dependencies.block("A", "no key", BOB)
    await backlog.dependencies.unblock("A", BOB)
    await backlog.take("A", owner="w2")
    await backlog.claims.reclaim("A", CODER)
    await backlog.claims.complete("A", None, BOB)
    assert [sentence for _, sentence in await news(backlog)][::2] == [
        "A is claimed by w1. (a)",
        "A was blocked by matrix:@bob:example.org: no key. (a)",
        "A is ready again: unblock by matrix:@bob:example.org. (a)",
        "A is claimed by w2. (a)",
        "A is ready again: agent:east/coder0 took the claim back. (a)",
        "A was completed by matrix:@bob:example.org. (a)",
    ]
    told = await backlog.news.after(0, 100)
    assert [one.thread for one in told[:2]] == [OPS, console]
    positions = [one.position for one in told]
    assert positions == sorted(positions)
    assert list(await backlog.news.after(positions[-1], 100)) == []
    assert len(await backlog.news.after(0, 3)) == 3


async def test_what_was_before_the_thread_is_no_news(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.take("A")
    await backlog.threads.bind("A", OPS)
    assert await news(backlog) == []


@pytest.mark.parametrize(
    "source", [OPS, Address("matrix", "!ops:e.org")], ids=["in the thread", "its first message"]
)
async def test_who_asks_in_the_thread_is_not_told_again(
    backlog: BacklogStage, source: Address
) -> None:
    await backlog.make("A")
    await backlog.threads.bind("A", OPS)
    async with backlog.asking(said("$root" if source.thread is None else "$1", source)):
        await backlog.dependencies.block("A", None, ANN)
        assert await news(backlog) == []
    assert await news(backlog) == []
    await backlog.dependencies.unblock("A", ANN)
    assert len(await news(backlog)) == 1, "the message was handled before that"


@pytest.mark.parametrize(
    ("source", "by"),
    [
        (Address("matrix", "!ops:e.org", "$elsewhere"), ANN),
        (Address("matrix", "!ops:e.org"), ANN),
        (Address("matrix", "!other:e.org", "$root"), ANN),
        (Address("tmux", "!ops:e.org", "$root"), ANN),
        (OPS, BOB),
    ],
)
async def test_what_was_asked_elsewhere_or_by_another_is_news(
    backlog: BacklogStage, source: Address, by: Caller
) -> None:
    await backlog.make("A")
    await backlog.threads.bind("A", OPS)
    async with backlog.asking(said("$1", source, by)):
        await backlog.dependencies.block("A", None, ANN)
    assert len(await news(backlog)) == 1


async def test_the_position_follows_only_past_what_is_old(backlog: BacklogStage) -> None:
    await backlog.make("A")
    await backlog.threads.bind("A", OPS)
    before = await backlog.news.position()
    await backlog.take("A")
    await backlog.news.settle()
    assert await backlog.news.position() == before
    assert len(await news(backlog)) == 1
    await backlog.age(10 * MINUTE)
    await backlog.news.settle()
    assert await backlog.news.position() > before
    assert await news(backlog) == []
