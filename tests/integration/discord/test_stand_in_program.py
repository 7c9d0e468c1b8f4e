"""The stand-in runs as a program, so that anybody can point a daemon at it."""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE

import aiohttp

from connectors.discord.connector import DiscordConnector
from connectors.stage import Ledger
from tests.fakes.contents import MemoryContents
from tests.waiting import until


async def test_a_bot_and_people_meet_in_a_program_of_its_own() -> None:
    command = (sys.executable, "-m", "tests.stages.discord_stand_in", "--token", "a-token")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    facts = json.loads(await process.stdout.readline())
    connector = DiscordConnector(
        facts["channel_id"],
        "a-token",
        contents=MemoryContents(),
        api_url=facts["api_url"],
        gateway_url=facts["gateway_url"],
    )
    ledger = Ledger()
    reading = asyncio.create_task(connector.subscribe(ledger.accept, None))
    await until(lambda: ledger.position)
    base = facts["api_url"].removesuffix("/api/v10") + "/stand-in"
    async with aiohttp.ClientSession() as http:
        said = await http.post(f"{base}/say", json={"text": "!help", "person": "max"})
        event_id = (await said.json())["id"]
        event = await ledger.arrival(event_id)
        assert (event.text, event.sender.name) == ("!help", "max")
        await http.post(f"{base}/drop", json={"code": 4000, "forget": True})
        await http.post(f"{base}/say", json={"text": "in it", "thread": event_id})
        await until(lambda: "in it" in ledger.texts())
        shown = await (await http.get(f"{base}/messages")).json()
        assert [one["content"] for one in shown] == ["!help"]
        echo = await (await http.post(f"{base}/bot", json={"name": "echo"})).json()
        assert {echo["token"], echo["channel_id"]}.isdisjoint(facts.values())
        touched = await http.post(f"{base}/slash", json={"path": "backlog list"})
        answer = await http.get(f"{base}/answer", params=await touched.json())
        assert await answer.json() == {"content": "", "is_private": False}
        await http.post(f"{base}/latency", json={"milliseconds": 50})
        began = time.monotonic()
        me = await http.get(
            f"{facts['api_url']}/users/@me", headers={"Authorization": f"Bot {echo['token']}"}
        )
        assert (await me.json())["id"] == echo["bot_id"]
        assert time.monotonic() - began >= 0.05
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    process.terminate()
    assert await process.wait() == 0
