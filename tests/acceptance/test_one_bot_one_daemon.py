"""A second daemon with the same bot on the same database: it is refused on Discord, and says why."""

from pathlib import Path

from tests.stages.postgres import Tier
from tests.stages.rivals import rivals


async def test_a_second_daemon_with_the_same_bot_is_refused_and_says_why_and_the_first_goes_on(
    server: Tier, short_directory: Path
) -> None:
    async with rivals(short_directory / "rivals", server) as two:
        await two.second.up()
        told = await two.part("stopped")
        assert "another process on this database is this bot already" in told["detail"]
        assert "stop the other one" in told["detail"]
        shown = await two.second.mosaic("status")
        assert "another process on this database is this bot already" in shown.out
        assert two.shop.bot.token not in shown.out + two.second.log()
        asked = two.shop.say("!backlog create --id B1 --title once")
        await two.shop.answer(asked)
        await two.shop.marked(asked, "✅")
        assert len(two.shop.answers(asked)) == 1
        assert two.shop.stand_in.gateway.connected == 1
        listed = await two.second.mosaic("backlog", "list", "--json")
        assert [card["id"] for card in listed.data] == ["B1"]
        assert two.first.bugs() == two.second.bugs() == []
