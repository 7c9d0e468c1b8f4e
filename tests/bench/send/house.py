"""Our contestant, put together as the daemon does it: Postgres, mailbox, worker, carrier, and what runs beside.

The agents that it starts are everybody's: the rivals type into the same panes.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bot.clock.backoff import Backoff
from bot.config.logs import close_logs, configure_logs
from bot.config.places import Places
from bot.mail.mailbox import Mailbox
from bot.mail.marks import Marks
from bot.mail.presence import Typing
from bot.mail.progress import Progress
from bot.mail.relay import Relay
from bot.mail.worker import Worker
from bot.model import Message, MessageKind, agent_address
from bot.ports import Part
from bot.reply import Text
from fleet.delivery.carrier import AgentCarrier
from fleet.health.readiness import Thresholds
from fleet.host.local import LocalFleet
from fleet.part import FleetPart
from fleet.watch.answers import AnswerWatch
from fleet.watch.lookout import Lookout
from storage.database import Database
from storage.mail.correspondence import PostgresCorrespondence
from storage.mail.outbox import PostgresOutbox
from storage.part import DatabasePart
from storage.pauses import PostgresPauses
from tests.bench.send.truth import Sent, Truth
from tests.waiting import until

_HOST = "bench"
_OPEN_SECONDS = 180.0
_SETTLE_SECONDS = 120.0
_STORIES = """
SELECT message_id, min(stated_at) FILTER (WHERE state = 'stored') AS stored_at,
    min(stated_at) FILTER (WHERE state = 'accepted') AS accepted_at
FROM receipt WHERE message_id = ANY($1) GROUP BY message_id
"""
_OPEN = "SELECT count(*) FROM delivery WHERE state = 'due'"


class House:
    """A fleet of dogfood agents with everything that brings mail to them."""

    def __init__(self, home: Path) -> None:
        self.socket_name = f"mosaic-bench-send-{os.getpid()}"
        self._places = Places(home)
        self._database = Database()
        self._outbox = PostgresOutbox(self._database)
        self._mailbox = Mailbox(self._outbox, lambda _: None)
        self._correspondence = PostgresCorrespondence(self._database)
        self._fleet = LocalFleet(
            self._places,
            host=_HOST,
            tenant_id="local",
            environment=os.environ,
            thresholds=Thresholds(),
        )
        self._started: set[str] = set()
        self.truth = Truth(self._places)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Run everything within the block, and leave nothing behind."""
        self._places.prepare()
        configure_logs(self._places.log_file, "info", str)
        self._write_roster(0)
        async with AsyncExitStack() as stack:
            stack.callback(close_logs)
            stack.push_async_callback(self._fleet.shutdown)
            for part in self._parts():
                await stack.enter_async_context(_running(part))
            yield

    def _parts(self) -> Sequence[Part]:
        marks = Marks(self._mailbox, self._correspondence)
        presence = Typing(lambda _: None)
        progress = Progress(
            self._mailbox,
            self._correspondence,
            _at_nothing,
            lambda _: False,
            carrier=f"agent:{_HOST}",
        )
        relay = Relay(
            self._mailbox,
            self._outbox,
            self._correspondence,
            presence,
            marks=marks,
            progress=progress,
        )
        carrier = AgentCarrier(self._fleet, PostgresPauses(self._database))
        return (
            DatabasePart(
                self._database,
                self._places.postgres_directory,
                hints={"outbox": lambda _: self._mailbox.posted.set()},
            ),
            FleetPart(self._fleet),
            Lookout(self._fleet, lambda _: None),
            AnswerWatch(self._fleet, self._correspondence, relay),
            Worker(
                self._mailbox,
                self._outbox,
                lambda: {f"agent:{_HOST}": carrier},
                relay.moved,
                owner=f"{_HOST} {secrets.token_hex(8)}",
                backoff=Backoff(timedelta(seconds=1), timedelta(seconds=5)),
                give_up_after=timedelta(minutes=5),
            ),
        )

    def _write_roster(self, agents: int) -> None:
        lines = "".join(
            f"  - {{name: {name}, class: code, runtime: dogfood}}\n" for name in names(agents)
        )
        text = f"version: 1\ntmux: {{socket_name: {self.socket_name}}}\nagents:\n{lines or '  []'}"
        self._places.roster_file.write_text(text, encoding="utf-8")

    async def grow(self, agents: int) -> None:
        """Have so many agents, each at its prompt."""
        self._write_roster(agents)

        async def all_ready() -> bool:
            if len(self._fleet.local_agents()) != agents:
                return False
            records = await self._fleet.observe()
            return sum(record.readiness == "available" for record in records) == agents

        await until(all_ready, _OPEN_SECONDS, f"{agents} agents at their prompts")

    async def panes(self) -> dict[str, str]:
        """Return every agent's pane, as tmux names it."""
        return {door.agent.name: door.pane.id for door in await self._fleet.doors()}

    async def send(self, messages: Sequence[Sent]) -> Sequence[Sent]:
        """Store messages at once and return them with their receipts' times, once all are settled."""
        await self._mailbox.post([_message(sent) for sent in messages])

        async def settled() -> bool:
            async with self._database.connection() as connection:
                return bool(await connection.fetchval(_OPEN) == 0)

        await until(settled, _SETTLE_SECONDS, "all receipts")
        async with self._database.connection() as connection:
            rows = await connection.fetch(_STORIES, [sent.id for sent in messages])
        times = {row["message_id"]: (row["stored_at"], row["accepted_at"]) for row in rows}
        return [sent.timed(*times[sent.id]) for sent in messages]


def names(agents: int) -> list[str]:
    """Return the agents' names."""
    return [f"agent{number}" for number in range(agents)]


def _message(sent: Sent) -> Message:
    return Message(
        id=sent.id,
        to=agent_address(_HOST, sent.agent),
        kind=MessageKind.MAIL,
        blocks=(Text(sent.body),),
        author=f"agent:{_HOST}/bench",
    )


@asynccontextmanager
async def _running(part: Part) -> AsyncIterator[None]:
    ready = asyncio.Event()
    task = asyncio.create_task(part.run(lambda _: ready.set()))
    opened = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({task, opened}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        yield
        if task.done():
            task.result()
    finally:
        for one in (task, opened):
            one.cancel()
        await asyncio.gather(task, opened, return_exceptions=True)


async def _at_nothing(place: str, message_id: str) -> str:
    return ""
