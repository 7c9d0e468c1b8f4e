"""The port Concerns, for every implementation."""

import asyncio
from datetime import timedelta

from bot.reply import Text
from bot.supervision.concerns import LONGEST, Concern, ConcernKind
from tests.stages.mailroom import Mailroom, letter

HOUR, NOTHING = timedelta(hours=1), timedelta(0)
STUCK = ConcernKind.STUCK_CARD


async def texts(mailroom: Mailroom) -> list[tuple[str, str]]:
    return [(one.subject, one.text) for one in await mailroom.concerns.open()]


async def test_a_concern_is_one_episode_from_its_raising_until_it_is_settled(
    mailroom: Mailroom,
) -> None:
    assert await mailroom.concerns.raise_(STUCK, "A7", "no word for 20 minutes")
    (first,) = await mailroom.concerns.open()
    assert not await mailroom.concerns.raise_(STUCK, "A7", "and its agent is gone")
    (again,) = await mailroom.concerns.open()
    assert (again.id, again.since) == (first.id, first.since)
    assert (again.kind, again.text, again.urgent) == (STUCK, "and its agent is gone", False)
    assert await mailroom.concerns.settle(STUCK, "A7")
    assert not await mailroom.concerns.settle(STUCK, "A7")
    assert await mailroom.concerns.open() == []
    assert await mailroom.concerns.raise_(STUCK, "A7", "once more")
    (other,) = await mailroom.concerns.open()
    assert other.id != first.id


async def test_kind_and_subject_tell_concerns_apart_and_the_oldest_is_first(
    mailroom: Mailroom,
) -> None:
    for kind, subject in ((STUCK, "A7"), (STUCK, "A8"), ("a kind of its own", "A7")):
        assert await mailroom.concerns.raise_(kind, subject, subject)
    await mailroom.concerns.settle(STUCK, "A7")
    found = [(one.kind, one.subject) for one in await mailroom.concerns.open()]
    assert found == [(STUCK, "A8"), ("a kind of its own", "A7")]


async def test_of_many_who_raise_one_at_a_time_one_begins_it(mailroom: Mailroom) -> None:
    raises = [mailroom.concerns.raise_(STUCK, "A7", f"says {n}") for n in range(8)]
    assert sorted(await asyncio.gather(*raises)) == [False] * 7 + [True]
    assert len(await mailroom.concerns.open()) == 1


async def test_what_is_told_is_stored_with_what_is_said_and_told_once(mailroom: Mailroom) -> None:
    await mailroom.concerns.raise_(STUCK, "A7", "x")
    await mailroom.concerns.raise_(STUCK, "A8", "y")
    untold = await mailroom.concerns.untold()
    assert [one.subject for one in untold] == ["A7", "A8"]
    said = letter("m1", blocks=(Text("A7 and A8"),))
    assert await mailroom.concerns.tell(untold, [said])
    assert await mailroom.concerns.untold() == []
    assert await mailroom.correspondence.message("m1") == said.message
    assert all(one.told_at is not None for one in await mailroom.concerns.open())
    await mailroom.concerns.raise_(STUCK, "A7", "another text")
    assert await mailroom.concerns.untold() == [], "one episode is told once"


async def test_of_several_who_tell_one_is_heard(mailroom: Mailroom) -> None:
    await mailroom.concerns.raise_(STUCK, "A7", "x")
    await mailroom.concerns.raise_(STUCK, "A8", "y")
    both = await mailroom.concerns.untold()
    tells = [mailroom.concerns.tell(both, [letter(f"m{n}")]) for n in range(6)]
    tells += [mailroom.concerns.tell(both[1:], [letter(f"n{n}")]) for n in range(6)]
    tells += [mailroom.concerns.tell(both[::-1], [letter(f"o{n}")]) for n in range(6)]
    told = [n for n, done in enumerate(await asyncio.gather(*tells)) if done]
    ids = [f"{name}{n}" for name in "mno" for n in range(6)]
    stored = [n for n, id in enumerate(ids) if await mailroom.correspondence.message(id)]
    assert stored == told
    assert len(told) == 1


async def test_a_telling_that_comes_late_stores_nothing(mailroom: Mailroom) -> None:
    await mailroom.concerns.raise_(STUCK, "A7", "x")
    await mailroom.concerns.raise_(STUCK, "A8", "y")
    both = await mailroom.concerns.untold()
    await mailroom.concerns.settle(STUCK, "A8")
    assert not await mailroom.concerns.tell(both, [letter("m1")])
    assert await mailroom.correspondence.message("m1") is None
    assert [one.subject for one in await mailroom.concerns.untold()] == ["A7"]


async def test_what_was_settled_before_it_was_told_is_never_told(mailroom: Mailroom) -> None:
    await mailroom.concerns.raise_(STUCK, "A7", "x")
    await mailroom.concerns.settle(STUCK, "A7")
    assert await mailroom.concerns.untold() == []


async def test_what_becomes_urgent_is_told_once_more(mailroom: Mailroom) -> None:
    async def tell() -> list[Concern]:
        untold = await mailroom.concerns.untold()
        if untold:
            assert await mailroom.concerns.tell(untold, [])
        return list(untold)

    await mailroom.concerns.raise_(STUCK, "A7", "x")
    assert [one.urgent for one in await tell()] == [False]
    await mailroom.concerns.raise_(STUCK, "A7", "x", urgent=True)
    assert [one.urgent for one in await tell()] == [True]
    await mailroom.concerns.raise_(STUCK, "A7", "x", urgent=True)
    await mailroom.concerns.raise_(STUCK, "A7", "x", urgent=False)
    assert await tell() == []
    (kept,) = await mailroom.concerns.open()
    assert kept.urgent, "urgency is not lost before it is settled"


async def test_a_concern_is_told_again_when_that_was_asked_for_and_it_is_still_open(
    mailroom: Mailroom,
) -> None:
    for subject, again_after in (("A7", NOTHING), ("A8", HOUR), ("A9", None), ("A10", NOTHING)):
        await mailroom.concerns.raise_(STUCK, subject, "x")
        assert await mailroom.concerns.tell(await fresh(mailroom), [], again_after)
    await mailroom.concerns.settle(STUCK, "A10")
    (again,) = await mailroom.concerns.untold()
    assert (again.subject, again.told_at is None) == ("A7", False)
    assert await mailroom.concerns.tell([again], [letter("m1")])
    assert await mailroom.concerns.untold() == []
    assert not await mailroom.concerns.tell([again], [letter("m2")]), "it was told since"


async def fresh(mailroom: Mailroom) -> list[Concern]:
    """Return what was never told."""
    return [one for one in await mailroom.concerns.untold() if one.told_at is None]


async def test_a_text_is_kept_as_it_stands(mailroom: Mailroom) -> None:
    await mailroom.concerns.raise_(STUCK, "A7", "'; DROP TABLE concern; --")
    assert await texts(mailroom) == [("A7", "'; DROP TABLE concern; --")]
    for _ in range(2):
        await mailroom.concerns.raise_(STUCK, "A7", "ü" * 9000)
    assert await texts(mailroom) == [("A7", "ü" * LONGEST)]
