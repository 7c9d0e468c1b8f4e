"""The port Pauses, for every implementation."""

from datetime import UTC, datetime, timedelta

from bot.model import Principal
from tests.stages.mailroom import Mailroom

ANN = Principal("matrix:@ann:example.org", "Ann")
BEN = Principal("local:1000", "ben")


async def standing(mailroom: Mailroom) -> tuple[str, str | None, bool] | None:
    pause = await mailroom.pauses.current()
    return None if pause is None else (pause.by, pause.reason, pause.freeze)


async def test_a_pause_says_who_why_and_since_when(mailroom: Mailroom) -> None:
    assert await mailroom.pauses.current() is None
    made = await mailroom.pauses.pause(ANN, "deploy", freeze=False)
    assert await mailroom.pauses.current() == made
    assert (made.by, made.name, made.reason, made.freeze) == (ANN.id, "Ann", "deploy", False)
    assert abs(datetime.now(UTC) - made.since) < timedelta(minutes=1)
    assert made.sentence() == f"Paused by Ann since {made.since:%H:%M} UTC (deploy)"


async def test_the_same_pause_again_changes_nothing(mailroom: Mailroom) -> None:
    first = await mailroom.pauses.pause(ANN, None, freeze=False)
    assert await mailroom.pauses.pause(ANN, None, freeze=False) == first
    assert await mailroom.pauses.resume(BEN) == first
    assert await mailroom.pauses.resume(BEN) is None


async def test_the_strictest_is_shown_a_freeze_before_the_oldest(mailroom: Mailroom) -> None:
    oldest = await mailroom.pauses.pause(ANN, "deploy", freeze=False)
    assert await mailroom.pauses.pause(BEN, "lunch", freeze=False) == oldest
    frozen = await mailroom.pauses.pause(BEN, "leak", freeze=True)
    assert (frozen.by, frozen.reason, frozen.freeze) == (BEN.id, "leak", True)
    assert frozen.sentence().endswith("(leak); freeze")
    assert await mailroom.pauses.current() == frozen


async def test_a_resume_lifts_all_of_them(mailroom: Mailroom) -> None:
    await mailroom.pauses.pause(ANN, "deploy", freeze=False)
    await mailroom.pauses.mirror("east", "1", None)
    frozen = await mailroom.pauses.pause(BEN, None, freeze=True)
    assert await mailroom.pauses.resume(ANN) == frozen
    assert await mailroom.pauses.current() is None


async def test_a_file_pauses_as_long_as_it_is_there(mailroom: Mailroom) -> None:
    assert not await mailroom.pauses.mirror("east", "1", "backup")
    assert await standing(mailroom) == ("file:east", "backup", False)
    assert not await mailroom.pauses.mirror("east", "1", "backup")
    assert not await mailroom.pauses.mirror("east", None, None)
    assert await mailroom.pauses.current() is None
    assert not await mailroom.pauses.mirror("east", "1", "backup"), "it was put back"
    assert await standing(mailroom) == ("file:east", "backup", False)


async def test_a_file_that_is_written_to_again_is_the_same_pause(mailroom: Mailroom) -> None:
    await mailroom.pauses.mirror("east", "1", None)
    before = await mailroom.pauses.current()
    assert not await mailroom.pauses.mirror("east", "2", "backup")
    after = await mailroom.pauses.current()
    assert before is not None
    assert after is not None
    assert (after.since, after.reason) == (before.since, "backup")
    await mailroom.pauses.mirror("east", None, None)
    assert await mailroom.pauses.current() is None


async def test_a_file_that_is_gone_lifts_nothing_but_its_own_pause(mailroom: Mailroom) -> None:
    await mailroom.pauses.mirror("east", "1", "backup")
    await mailroom.pauses.pause(ANN, None, freeze=False)
    await mailroom.pauses.mirror("west", "1", None)
    await mailroom.pauses.mirror("east", None, None)
    assert await standing(mailroom) == (ANN.id, None, False)
    await mailroom.pauses.resume(ANN)
    await mailroom.pauses.mirror("west", None, None)
    assert await mailroom.pauses.current() is None


async def test_a_resume_asks_for_the_file_to_be_removed(mailroom: Mailroom) -> None:
    await mailroom.pauses.mirror("east", "1", None)
    await mailroom.pauses.resume(ANN)
    assert await mailroom.pauses.mirror("east", "1", None)
    assert await mailroom.pauses.mirror("east", "1", None), "until it is gone"
    assert await mailroom.pauses.current() is None
    assert not await mailroom.pauses.mirror("east", None, None)
    assert not await mailroom.pauses.mirror("east", "2", None), "a new file is a new pause"
    assert await standing(mailroom) == ("file:east", None, False)
