"""The baseline of bench-discord: the smallest bot that discord.py makes, saying again what is said in its channel."""

import sys

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route


def echo(api_url: str, gateway_url: str, token: str, channel_id: str) -> None:
    """Answer everything in one channel until killed."""
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = api_url, yarl.URL(gateway_url)
    client = discord.Client(
        intents=discord.Intents(guilds=True, guild_messages=True, message_content=True)
    )

    async def on_ready() -> None:
        print("listening", flush=True)

    async def on_message(message: discord.Message) -> None:
        if not message.author.bot and message.channel.id == int(channel_id):
            await message.channel.send(message.content)

    client.event(on_ready)
    client.event(on_message)
    client.run(token, log_handler=None)


if __name__ == "__main__":
    echo(*sys.argv[1:5])
