"""Two daemons on one database: who leads has no room at all, and who is on Discord keeps the cards' threads there."""

import os
from pathlib import Path

from tests.stages.discord_stand_in.payloads import Channel
from tests.stages.installation import Installation
from tests.stages.postgres import Tier
from tests.stages.room import PATIENCE
from tests.stages.workshop import workshop
from tests.waiting import until


async def test_a_card_that_the_leader_was_told_of_gets_its_thread_from_the_daemon_on_discord(
    server: Tier, short_directory: Path
) -> None:
    async with (
        server.empty() as target,
        workshop(short_directory / "another" / "home") as shop,
    ):
        assert target.url is not None
        elsewhere = {"DATABASE_URL": target.url}
        leader, there = (
            Installation(short_directory / "leader" / "home", elsewhere),
            shop.installation,
        )
        leader.write_settings('[host]\nname = "leader"\n')
        leader.write_roster(
            {
                "version": 1,
                "tmux": {"socket_name": f"leader-{os.getpid()}"},
                "connector": {"kind": "tmux"},
                "agents": [],
            }
        )
        there.give(elsewhere | {"DISCORD_BOT_TOKEN": shop.bot.token})
        shop.write(agents=(), more='[host]\nname = "on-discord"\n')
        try:
            await leader.up()
            await there.up()
            await shop.part("ok")
            made = await leader.mosaic("backlog", "create", "--id", "A1", "--title", "far away")
            assert made.status == 0, made.err

            def thread() -> Channel | None:
                channels = shop.world.channels.values()
                return next((one for one in channels if one.name.startswith("A1: far away")), None)

            found = await until(thread, PATIENCE, "a thread of the card")
            assert found is not None
            assert found.parent_id == shop.channel.id
            leads = (await there.mosaic("supervisor", "status", "--json")).data["leader"]
            assert leads["host"] == "leader"
            assert [one.bugs() for one in (leader, there)] == [[], []]
        finally:
            await leader.close()
