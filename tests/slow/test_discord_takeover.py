"""The daemon that is the bot on Discord is killed: the second one takes over by itself, and nothing is lost or doubled."""

from pathlib import Path

import pytest

from tests.stages.postgres import Tier
from tests.stages.rivals import rivals

pytestmark = pytest.mark.slow


async def test_when_the_first_daemon_is_killed_the_second_becomes_the_bot_and_answers_what_was_missed(
    server: Tier, short_directory: Path
) -> None:
    async with rivals(short_directory / "takeover", server) as two:
        before = two.shop.say("!backlog create --id B1 --title before")
        await two.shop.answer(before)
        await two.shop.marked(before, "✅")
        await two.second.up()
        await two.part("stopped")
        await two.first.kill()
        missed = two.shop.say("!backlog create --id B2 --title missed")
        await two.part("ok")
        await two.shop.answer(missed)
        await two.shop.marked(missed, "✅")
        assert [len(two.shop.answers(one)) for one in (before, missed)] == [1, 1]
        assert two.second.bugs() == []
