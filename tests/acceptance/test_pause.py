"""The kill switch on running daemons: by command line, HTTP and file, on one host and on two."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.mail.mailbox import Mailbox
from bot.model import Message, MessageKind, agent_address, derived_id
from bot.reply import Text
from bot.supervision.pause import SUPERVISOR
from storage.database import Database, Target
from storage.mail.outbox import PostgresOutbox
from tests.stages.installation import Installation
from tests.stages.postgres import Tier
from tests.waiting import until

CODER = {"name": "coder0", "class": "code", "runtime": "dogfood"}
LEAD = {"name": "lead", "class": "orchestrator", "runtime": "dogfood"}
SECOND = 1.0
NEW = ("backlog", "create", "--agent-class", "by-hand")
"""A card that the supervisor gives to nobody: no agent is of that class."""


@dataclass
class Host:
    """A running installation, and its mailbox as the supervisor would use it."""

    installation: Installation
    name: str
    mailbox: Mailbox

    @property
    def file(self) -> Path:
        return self.installation.home / "fleet" / "run" / "PAUSED"

    async def data(self, *words: str) -> Any:
        ended = await self.installation.mosaic(*words, "--json")
        assert ended.status == 0, ended.err
        return ended.data

    async def paused(self) -> dict[str, Any] | None:
        """Ask the running daemon itself: a new process for every look would take longer than the look."""
        connector = aiohttp.UnixConnector(str(self.installation.api_socket))
        async with aiohttp.ClientSession("http://mosaic", connector=connector) as session:
            answer = await session.get("/v1/status")
            found: dict[str, Any] | None = (await answer.json())["paused"]
            return found

    async def says(self, by: str | None) -> bool:
        pause = await self.paused()
        return (pause and pause["by"]) == by

    async def hand_out(self, agent: str, text: str) -> str:
        """Write to an agent as the supervisor does; return the message's id."""
        message_id = derived_id("test work", text)
        to = agent_address(self.name, agent)
        mail = Message(message_id, to, MessageKind.MAIL, (Text(text),), author=SUPERVISOR.id)
        await self.mailbox.post([mail])
        return message_id

    async def state(self, message_id: str) -> tuple[str, str]:
        data = await self.data("agent", "receipt", message_id)
        return data["state"], data["reason"] or ""

    async def answered(self, message_id: str) -> None:
        async def story() -> bool:
            return (await self.state(message_id))[0] == "answered"

        await until(story, 60, f"an answer to {message_id}")

    def heard(self, agent: str, text: str) -> bool:
        events = self.installation.agent_events(agent)
        return any(text in str(event.get("text")) for event in events)


@asynccontextmanager
async def hosts(directory: Path, url: str, *names: str) -> AsyncIterator[tuple[Host, ...]]:
    database = Database()
    found = []
    for name in names:
        installation = Installation(directory / name, {"DATABASE_URL": url})
        installation.write_settings(f'[host]\nname = "{name}"\n')
        socket = f"pause-{name}-{os.getpid()}-{os.urandom(3).hex()}"
        agents = [{**agent, "host": name} for agent in (LEAD, CODER)]
        installation.write_roster({"version": 1, "tmux": {"socket_name": socket}, "agents": agents})
        mailbox = Mailbox(PostgresOutbox(database), lambda _kind: None)
        found.append(Host(installation, name, mailbox))
    try:
        for host in found:
            await host.installation.up()
        await database.open(Target(url))
        for host in found:
            await _all_available(host)
        yield tuple(found)
    finally:
        await database.close()
        for host in found:
            await host.installation.close()


async def _all_available(host: Host) -> None:
    async def available() -> bool:
        rows = await host.data("fleet", "ps")
        return {row["readiness"] for row in rows if row["session"]} == {"available"}

    await until(available, 60, "everybody to be available")


@pytest.fixture(scope="module")
async def alpha(server: Tier, short_directory: Path) -> AsyncIterator[Host]:
    async with server.empty() as target:
        assert target.url is not None
        async with hosts(short_directory / "pause", target.url, "alpha") as (host,):
            yield host


async def test_a_pause_from_the_command_line_stops_agents_and_lets_people_go_on(
    alpha: Host,
) -> None:
    await alpha.data(*NEW, "--id", "A1", "--title", "a card")
    await alpha.data(*NEW, "--id", "A2", "--title", "another")
    paused = await alpha.data("pause", "--reason", "deploy")
    assert paused["paused"]["reason"] == "deploy"
    coder = alpha.installation.as_agent("coder0")
    claim = await coder.mosaic("backlog", "claim", "--owner", "coder0", "--json")
    assert (claim.status, claim.data) == (0, None)
    assert "paused by " in claim.err
    assert "(deploy)" in claim.err
    named = await coder.mosaic("backlog", "claim", "--owner", "coder0", "--id", "A2", "--json")
    assert (named.status, named.data) == (0, None)
    assert (await alpha.data("backlog", "claim", "--owner", "ann"))["id"] == "A1"
    for words in (("status",), ("fleet", "ps"), ("fleet", "status"), ("backlog", "stats")):
        shown = " ".join((await alpha.installation.mosaic(*words)).out.split()).lower()
        assert "deploy" in shown, words
        assert "paused" in shown, words
    assert (await alpha.data("resume"))["lifted"]["reason"] == "deploy"
    assert (await alpha.data("status"))["paused"] is None
    again = await coder.mosaic("backlog", "claim", "--owner", "coder0", "--json")
    assert again.data["id"] == "A2"


async def test_work_is_not_typed_while_paused_and_is_after_a_resume(alpha: Host) -> None:
    connector = aiohttp.UnixConnector(str(alpha.installation.api_socket))
    async with aiohttp.ClientSession("http://mosaic", connector=connector) as session:
        answer = await session.post("/v1/commands/pause", json={"reason": "over HTTP"})
        assert (await answer.json())["data"]["paused"]["reason"] == "over HTTP"
        work = await alpha.hand_out("coder0", "work for a pause")

        async def waits() -> bool:
            state, reason = await alpha.state(work)
            return state == "waiting" and reason.endswith("(over HTTP)")

        await until(waits, 30, "the work to wait")
        sent = await alpha.installation.mosaic(
            "agent", "send", "coder0", "a person's word", "--verify", "--json"
        )
        assert sent.status == 0, sent.out
        await alpha.answered(sent.data["message_id"])
        assert not alpha.heard("coder0", "work for a pause")
        states = [one["state"] for one in (await alpha.data("agent", "receipt", work))["receipts"]]
        assert states == ["stored", "waiting"]
        assert (await session.post("/v1/commands/resume", json={})).status == 200
    await alpha.answered(work)
    assert alpha.heard("coder0", "work for a pause")


async def test_a_freeze_stops_a_persons_words_and_claims_too(alpha: Host) -> None:
    await alpha.data(*NEW, "--id", "F1", "--title", "a card")
    await alpha.data("pause", "--freeze", "--reason", "leak")
    sent = await alpha.installation.mosaic(
        "agent", "send", "coder0", "a frozen word", "--verify", "--wait", "3", "--json"
    )
    assert (sent.status, sent.data["state"]) == (4, "waiting")
    assert "(leak); freeze" in sent.data["reason"]
    claim = await alpha.installation.mosaic("backlog", "claim", "--owner", "me", "--json")
    assert (claim.status, claim.data["error"]["code"]) == (1, "paused")
    assert not alpha.heard("coder0", "a frozen word")
    await alpha.data("resume")
    await alpha.answered(sent.data["message_id"])
    assert (await alpha.data("backlog", "claim", "--owner", "me"))["id"] == "F1"


async def test_a_file_pauses_and_is_lifted_by_removing_it_or_by_a_resume(alpha: Host) -> None:
    alpha.file.touch()
    await until(lambda: alpha.says("file:alpha"), SECOND)
    alpha.file.unlink()
    await until(lambda: alpha.says(None), SECOND)
    alpha.file.write_text("backup\n")
    await until(lambda: alpha.says("file:alpha"), SECOND)

    async def reason() -> str | None:
        return (await alpha.paused() or {}).get("reason")

    await until(reason, SECOND)
    assert await reason() == "backup"
    await alpha.data("resume")
    await until(lambda: not alpha.file.exists(), SECOND)
    assert await alpha.says(None)


async def test_a_pause_outlives_the_daemon_and_a_file_that_went_meanwhile_does_not(
    alpha: Host,
) -> None:
    alpha.file.touch()
    await until(lambda: alpha.says("file:alpha"), SECOND)
    await alpha.installation.kill()
    await alpha.installation.up()
    await until(lambda: alpha.says("file:alpha"), 10)
    await alpha.installation.kill()
    alpha.file.unlink()
    await alpha.installation.up()
    await until(lambda: alpha.says(None), 10)
    await alpha.data("pause")
    await alpha.installation.kill()
    await alpha.installation.up()
    assert (await alpha.data("status"))["paused"] is not None
    await alpha.data("resume")


async def test_a_file_on_one_host_stops_the_other_within_a_second(
    server: Tier, short_directory: Path
) -> None:
    async with server.empty() as target:
        assert target.url is not None
        async with hosts(short_directory / "two", target.url, "east", "west") as (east, west):
            await east.data(*NEW, "--id", "A1", "--title", "a card")
            east.file.write_text("maintenance\n")
            await until(lambda: west.says("file:east"), SECOND)
            coder = west.installation.as_agent("coder0")
            claim = await coder.mosaic("backlog", "claim", "--owner", "coder0", "--json")
            assert claim.data is None
            assert "paused by the file PAUSED on east" in claim.err
            work = await west.hand_out("coder0", "work for the west")

            async def waits() -> bool:
                return (await west.state(work))[0] == "waiting"

            await until(waits, 30, "the work to wait")
            await west.data("resume")
            await until(lambda: not east.file.exists(), SECOND)
            await until(lambda: east.says(None), SECOND)
            await west.answered(work)
            again = await coder.mosaic("backlog", "claim", "--owner", "coder0", "--json")
            assert again.data["id"] == "A1"
