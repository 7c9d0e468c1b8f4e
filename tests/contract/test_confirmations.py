"""The port Confirmations, for every implementation."""

import asyncio
from datetime import timedelta

from tests.stages.mailroom import Mailroom

ANN, BEN = "matrix:@ann:example.org", "local:1000"
MINUTE = timedelta(minutes=1)


async def test_a_line_is_taken_once(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!fleet stop", MINUTE)
    takes = [mailroom.confirmations.take("1234", ANN) for _ in range(6)]
    taken = [line for line in await asyncio.gather(*takes) if line is not None]
    assert taken == ["!fleet stop"]


async def test_nobody_takes_another_ones_line(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!fleet stop", MINUTE)
    assert await mailroom.confirmations.take("1234", BEN) is None
    assert await mailroom.confirmations.take("1235", ANN) is None
    assert await mailroom.confirmations.take("1234", ANN) == "!fleet stop"


async def test_a_code_belongs_to_its_person(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!a", MINUTE)
    await mailroom.confirmations.ask("1234", BEN, "!b", MINUTE)
    assert await mailroom.confirmations.take("1234", ANN) == "!a"
    assert await mailroom.confirmations.take("1234", BEN) == "!b"


async def test_an_expired_line_is_gone(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!a", timedelta(0))
    await mailroom.confirmations.ask("1235", ANN, "!b", MINUTE)
    assert await mailroom.confirmations.take("1234", ANN) is None
    assert await mailroom.confirmations.take("1235", ANN) == "!b"


async def test_the_same_code_again_replaces_the_line(mailroom: Mailroom) -> None:
    await mailroom.confirmations.ask("1234", ANN, "!a", timedelta(0))
    await mailroom.confirmations.ask("1234", ANN, "!b", MINUTE)
    assert await mailroom.confirmations.take("1234", ANN) == "!b"
