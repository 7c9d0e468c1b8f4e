"""What the set-up wrote is what the connector needs: against the same stand-in, from a token to a message."""

import asyncio
from pathlib import Path

from bot.cli.connecting import connect
from bot.config.credentials import Credentials
from bot.config.places import Places
from fleet.roster.file import load
from tests.stages.discord import DiscordStage, discord_stage
from tests.waiting import until


async def test_a_bot_that_was_set_up_can_speak(tmp_path: Path) -> None:
    stage = await discord_stage(DiscordStage)
    try:
        places = Places(tmp_path / "home")
        places.prepare()
        api = stage.stand_in.api_url
        places.settings_file.write_text(f'[connectors.discord]\napi_url = "{api}"\n')
        token = tmp_path / "token"
        token.write_text(stage.bot.token)
        words = ["--token-file", str(token), "--channel-id", stage.channel.id]
        data, _ = await asyncio.to_thread(connect, places, words, {}, None)
        assert data["works"], data
        assert await stage.standing() == [], "what was said to try it is taken back"
        block = load(places.roster_file).connector.discord
        kept = Credentials({}, places.secrets_directory).require("DISCORD_BOT_TOKEN")
        assert block is not None
        connector = stage.connect(token=kept, channel_id=block.channel_id)

        async def is_up() -> bool:
            return (await connector.health()).state == "up"

        listening = asyncio.create_task(connector.subscribe(_drop, None))
        try:
            await until(is_up)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await connector.close()
    finally:
        await stage.close()


async def _drop(_batch: object) -> None:
    return None
