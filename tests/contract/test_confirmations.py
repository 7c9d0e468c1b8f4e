"""The port Confirmations, for every implementation."""

import asyncio
from datetime import timedelta

from bot.asked import Kept
from tests.stages.mailroom import Mailroom

ANN, BEN = "matrix:@ann:example.org", "local:1000"
MINUTE = timedelta(minutes=1)


async def test_a_line_is_taken_once(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!fleet stop", MINUTE)
    takes = [mailroom.confirmations.take("1234", ANN) for _ in range(6)]
    taken = [kept for kept in await asyncio.gather(*takes) if kept is not None]
    assert taken == [Kept("!fleet stop", expired=False)]


async def test_nobody_takes_another_ones_line(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!fleet stop", MINUTE)
    assert await mailroom.confirmations.take("1234", BEN) is None
    assert await mailroom.confirmations.take("1235", ANN) is None
    assert await mailroom.confirmations.take("1234", ANN) == Kept("!fleet stop", expired=False)


async def test_a_code_belongs_to_its_person(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!a", MINUTE)
    await mailroom.confirmations.ask("1234", BEN, "!b", MINUTE)
    assert await mailroom.confirmations.take("1234", ANN) == Kept("!a", expired=False)
    assert await mailroom.confirmations.take("1234", BEN) == Kept("!b", expired=False)


async def test_an_expired_line_says_so_once(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!a", timedelta(0))
    await mailroom.confirmations.ask("1235", ANN, "!b", MINUTE)
    assert await mailroom.confirmations.take("1234", BEN) is None
    assert await mailroom.confirmations.take("1234", ANN) == Kept("!a", expired=True)
    assert await mailroom.confirmations.take("1234", ANN) is None
    assert await mailroom.confirmations.take("1235", ANN) == Kept("!b", expired=False)


async def test_the_same_code_again_replaces_the_line(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!a", timedelta(0))
    await mailroom.confirmations.ask("1234", ANN, "!b", MINUTE)
    assert await mailroom.confirmations.take("1234", ANN) == Kept("!b", expired=False)


async def test_what_was_shown_is_kept_with_the_line_and_goes_with_a_new_question(
    mailroom: Mailroom,
) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!a", MINUTE, "shown first")
    await mailroom.confirmations.ask("1234", ANN, "!a", MINUTE, "shown last")
    assert await mailroom.confirmations.take("1234", ANN) == Kept(
        "!a", expired=False, preview_id="shown last"
    )
    await mailroom.confirmations.ask("1234", ANN, "!a", MINUTE)
    assert await mailroom.confirmations.take("1234", ANN) == Kept("!a", expired=False)
