"""Discord, the daemon and people's settings fail; what was said is neither lost nor shown twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.stages.discord_stand_in.mischief import Trouble
from tests.stages.workshop import Workshop, workshop
from tests.waiting import until


@pytest.fixture(scope="module")
async def shop(home: Path) -> AsyncIterator[Workshop]:
    async with workshop(home) as found:
        found.write(agents=())
        await found.installation.up()
        await found.part("ok")
        yield found


def sends(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith("/messages")


async def test_a_daemon_that_is_killed_before_it_hears_that_its_answer_was_shown_shows_it_once(
    shop: Workshop,
) -> None:
    shop.stand_in.mischief.strike(Trouble.SKEW)  # counts from zero
    shop.stand_in.mischief.relent()
    shop.stand_in.mischief.silent_after = sends
    asked = shop.say("!backlog create --id K1 --title killed")
    await until(lambda: shop.stand_in.mischief.struck, 30, "an answer on its way")
    await shop.installation.kill()
    shop.stand_in.mischief.silent_after = lambda _request: False
    await shop.installation.up()
    await shop.marked(asked, "✅")
    assert len(shop.answers(asked)) == 1


@pytest.mark.parametrize(
    "trouble", [Trouble.ERROR_STORM, Trouble.BARE_LIMIT, Trouble.CUT, Trouble.DOUBLE]
)
async def test_whatever_fails_at_discord_a_command_is_answered_once(
    shop: Workshop, trouble: Trouble
) -> None:
    shop.stand_in.mischief.strike(trouble)
    asked = shop.say(f"!backlog create --id T{trouble.value[:2]} --title x")
    await shop.answer(asked)
    shop.stand_in.mischief.relent()
    await shop.marked(asked, "✅")
    assert len(shop.answers(asked)) == 1


async def test_the_daemon_goes_on_by_itself_after_discord_was_away(shop: Workshop) -> None:
    await shop.stand_in.gateway.drop(4000)
    shop.stand_in.gateway.forget_sessions()
    asked = shop.say("!backlog list")
    await shop.answer(asked)
    await shop.part("ok")


async def test_a_withheld_intent_is_said_and_what_calls_the_bot_works(shop: Workshop) -> None:
    shop.bot.reads_words = False
    await shop.installation.down()
    await shop.installation.up()
    told = await shop.part("safe-mode")
    assert "Message Content Intent" in told["detail"]
    asked = shop.say(f"<@{shop.bot.user.id}> !backlog list")
    await shop.answer(asked)
    shop.bot.reads_words = True


async def test_a_token_that_was_reset_stops_the_connector_alone_and_says_what_to_do(
    shop: Workshop,
) -> None:
    former = shop.bot.token
    await shop.installation.down()
    del shop.world.bots[former]
    await shop.installation.up()
    told = await shop.part("stopped")
    assert "DISCORD_BOT_TOKEN" in told["detail"]
    assert former not in told["detail"]
    assert (await shop.installation.mosaic("backlog", "list", "--json")).status == 0
    shop.world.bots[former] = shop.bot
    await shop.part("ok")
    assert shop.installation.bugs() == []
