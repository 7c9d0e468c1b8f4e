"""The two bots of bench-discord, each a process: the whole daemon, and the library's smallest."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.discord.server import Facts, Server
from tests.stages.installation import Installation


@asynccontextmanager
async def mosaic_bot(home: Path, there: Server) -> AsyncIterator[Installation]:
    """Run the daemon, with the person as its operator and one dogfood agent."""
    facts = there.facts
    ann = (await there.say("hello", facts["channel_id"]))["author"]["id"]
    installation = Installation(home, {"DISCORD_BOT_TOKEN": facts["token"]})
    installation.write_settings(
        f'[access]\noperators = ["discord:{ann}"]\n[threads]\ncards = "created"\n'
        f'[connectors.discord]\napi_url = "{facts["api_url"]}"\n'
        f'gateway_url = "{facts["gateway_url"]}"\n'
    )
    agent = {"name": "orchestrator", "class": "orchestrator", "runtime": "dogfood"}
    block = {"channel_id": facts["channel_id"]}
    installation.write_roster(
        {
            "version": 1,
            "tmux": {"socket_name": f"bench-discord-{os.getpid()}"},
            "connector": {"kind": "discord", "discord": block},
            "agents": [agent],
        }
    )
    await installation.up()
    try:
        yield installation
    finally:
        await installation.close()


@asynccontextmanager
async def echo_bot(there: Server) -> AsyncIterator[Facts]:
    """Run the baseline, and lend what is known of it."""
    facts = await there.control("bot", name="echo")
    words = (facts[name] for name in ("api_url", "gateway_url", "token", "channel_id"))
    command = (sys.executable, "-m", "tests.bench.discord.echo_bot", *words)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"listening\n"
    try:
        yield facts
    finally:
        process.kill()
        await process.wait()
