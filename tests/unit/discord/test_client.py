"""What the library tells of servers, and what it does not."""

import asyncio
from typing import Any

from connectors.discord.client import Connected, DiscordClient, Happening
from tests.stages.discord_stand_in.payloads import guild_payload
from tests.stages.discord_stand_in.world import World
from tests.waiting import until


async def test_a_server_that_comes_just_when_the_library_stops_waiting_for_it_is_known() -> None:
    world, heard = World(lambda *_: None), list[Happening]()
    bot = world.add_bot()
    client = DiscordClient(heard.append, words=True)
    await client._async_setup_hook()
    state = client._connection
    state.guild_ready_timeout = 0.0  # so the library lets go of what lies in its queue by then
    told: Any = guild_payload(world.guild_id, [world.add_channel()], bot.user)
    ready: Any = {
        "v": 10,
        "user": bot.user.payload(),
        "guilds": [{"id": world.guild_id, "unavailable": True}],
        "session_id": "1",
        "resume_gateway_url": "ws://127.0.0.1",
        "application": {"id": bot.user.id, "flags": 0},
    }
    state.parse_ready(ready)
    state.parse_guild_create(told)
    await until(lambda: heard == [Connected()] and state._ready_task is None)
    async with asyncio.timeout(10):
        await client.server(int(world.guild_id))
    await client.close()
