"""People touch a running fleet on Discord: slash commands, buttons, restarts; the daemon is a process."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stages.discord_stand_in.interactions import Touch
from tests.stages.workshop import Workshop, workshop
from tests.waiting import until

PATIENCE = 20.0


@pytest.fixture(scope="module")
async def shop(home: Path) -> AsyncIterator[Workshop]:
    async with workshop(home) as found:
        await found.installation.up()
        await found.part("ok")
        yield found


async def answer(touch: Touch) -> str:
    """Wait until a touch is answered, and return the words."""
    return await until(lambda: touch.content, PATIENCE, "an answer")


async def test_every_command_is_told_and_one_is_answered_where_it_was_asked(shop: Workshop) -> None:
    touches = shop.stand_in.interactions
    names = {one["name"] for one in touches.commands}
    assert {"backlog", "fleet", "agent", "status", "form", "account"} <= names
    asked = touches.slash(
        shop.ann, shop.channel, "backlog create", id="A1", title="paint the shed", priority=3
    )
    assert "A1" in await answer(asked)
    assert asked.answer is not None
    assert shop.channel.messages[asked.answer["id"]]["content"] == asked.content
    assert "paint the shed" in await shop.ask("!backlog list --json")


async def test_a_stranger_is_refused_in_private(shop: Workshop) -> None:
    asked = shop.stand_in.interactions.slash(
        shop.eve, shop.channel, "backlog create", id="E1", title="mine"
    )
    assert "stranger-denied" in await answer(asked)
    assert asked.private
    assert "E1" not in await shop.ask("!backlog list --json")


async def test_a_button_is_good_after_a_restart_and_commands_are_not_told_again(
    shop: Workshop,
) -> None:
    touches = shop.stand_in.interactions
    shown = touches.slash(shop.ann, shop.channel, "backlog create", id="B1", title="mend")
    await answer(shown)
    assert touches.told == 1
    await shop.installation.mosaic("restart")
    await shop.part("ok")
    assert touches.told == 1
    assert shown.answer is not None
    claimed = touches.press(shop.ann, shop.channel, shown.answer, "Claim it")
    assert "token" in await answer(claimed)
    assert claimed.private
    refused = touches.press(shop.eve, shop.channel, shown.answer, "Complete it")
    assert "stranger-denied" in await answer(refused)
    done = touches.press(shop.ann, shop.channel, shown.answer, "Complete it")
    assert "B1 is done" in await answer(done)


async def test_an_answer_that_comes_too_late_is_said_in_the_channel(shop: Workshop) -> None:
    touches = shop.stand_in.interactions
    touches.hasty = True
    touches.slash(shop.ann, shop.channel, "backlog create", id="C1", title="late")
    assert "late" in (await shop.spoken("C1"))["content"]
    touches.hasty = False
