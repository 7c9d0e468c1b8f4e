"""A fleet on its own home and tmux socket, with a way to send mail to it and to see what became of it."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.config.places import Places
from bot.errors import TransientError
from bot.model import (
    FINAL_STATES,
    Delivery,
    Message,
    MessageKind,
    OutboundMessage,
    Queueing,
    Receipt,
    ReceiptState,
    SendResult,
    agent_address,
    derived_id,
)
from bot.ports import Correspondence
from fleet.delivery.carrier import AgentCarrier
from fleet.delivery.keyboard import Patience, look_at
from fleet.health.readiness import Readiness, Thresholds
from fleet.host.local import LocalFleet
from fleet.tmux.screen import ScreenState
from fleet.tmux.terminal import Terminal
from tests.fakes.pauses import MemoryPauses
from tests.waiting import until

HOST = "testhost"


def new_socket_name() -> str:
    return f"mosaic-test-{os.getpid()}-{os.urandom(3).hex()}"


async def clear(terminal: Terminal) -> None:
    for pane in await terminal.panes():
        await terminal.end_session(pane.session)
    await terminal.close_server()


class Letters(Correspondence):
    """Mail as the mailbox would hold it: what was sent, and every receipt in order."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.story: dict[str, list[Receipt]] = {}
        self.asked = 0

    async def record(self, receipt: Receipt) -> None:
        self.story.setdefault(receipt.message_id, []).append(receipt)

    def states(self, message_id: str) -> list[str]:
        return [receipt.state.value for receipt in self.story.get(message_id, [])]

    async def message(self, id_prefix: str) -> Message | None:
        return self.messages.get(id_prefix)

    async def receipts(self, message_id: str) -> Sequence[Receipt]:
        return self.story.get(message_id, [])

    async def dead(self, limit: int) -> Sequence[tuple[Delivery, str]]:
        return []

    async def retry(self, message_id: str) -> int:
        return 0

    async def unanswered(self, carrier: str) -> Sequence[tuple[Message, ReceiptState]]:
        self.asked += 1
        found = []
        for message in self.messages.values():
            states = [receipt.state for receipt in self.story.get(message.id, [])]
            ended = FINAL_STATES & set(states)
            if ReceiptState.TYPED in states and not ended:
                found.append((message, states[-1]))
        return [pair for pair in found if pair[0].to.carrier == carrier]


class Stage:
    """A fleet on its own socket and home, with a way to send mail to it.

    With ``holds_line`` it types over the control connection, else by a process for each call.
    """

    def __init__(self, home: Path, socket_name: str, environment: dict[str, str]) -> None:
        self.home = home
        self.socket_name = socket_name
        self.letters = Letters()
        self.pauses = MemoryPauses()

        self.holds_line = False
        self.environment = environment
        self.fleet = self.new_fleet()
        self.carrier = AgentCarrier(self.fleet, self.pauses, QUICK)

    def new_fleet(self) -> LocalFleet:
        return LocalFleet(
            Places(self.home),
            host=HOST,
            tenant_id="local",
            environment=self.environment,
            thresholds=Thresholds(),
        )

    def write_roster(self, *agents: str, head: str = "") -> None:
        lines = "\n".join(f"  - {agent}" for agent in agents)
        text = f"version: 1\n{head}tmux: {{socket_name: {self.socket_name}}}\nagents:\n{lines}\n"
        self.fleet.places.prepare()
        self.fleet.places.roster_file.write_text(text)

    async def open(self, *agents: str) -> LocalFleet:
        self.write_roster(*agents)
        self.fleet.reload()
        await self.fleet.start(None)
        if self.holds_line:
            await self.fleet.hold_lines()
        self.fleet.opening = False
        return self.fleet

    def mail(
        self,
        name: str,
        body: str,
        *,
        typed: bool = False,
        key: str = "",
        tag: str = "chat",
        queueing: Queueing = Queueing.WHEN_IDLE,
    ) -> Delivery:
        to = agent_address(HOST, name)
        message_id = derived_id("test", name, body, key)
        self.letters.messages[message_id] = Message(message_id, to, MessageKind.MAIL, ())
        outbound = OutboundMessage(
            message_id,
            0,
            message_id,
            to,
            MessageKind.MAIL,
            body,
            author="matrix:@ann:example.org",
            tag=tag,
            queueing=queueing,
        )
        return Delivery(1, outbound, 1, datetime.now(UTC), typed=typed)

    async def send(
        self,
        name: str,
        body: str,
        *,
        typed: bool = False,
        tag: str = "chat",
        queueing: Queueing = Queueing.WHEN_IDLE,
    ) -> SendResult:
        delivery = self.mail(name, body, typed=typed, tag=tag, queueing=queueing)
        return await self.carrier.carry(delivery, self.letters.record)

    async def carry_on(self, delivery: Delivery) -> SendResult:
        """Carry as the worker does: again for as long as the message waits, each time as the receipts say."""
        while True:
            typed = "typed" in self.letters.states(delivery.outbound.message_id)
            try:
                return await self.carrier.carry(replace(delivery, typed=typed), self.letters.record)
            except TransientError:
                await asyncio.sleep(0)

    async def press(self, name: str, *keys: str) -> None:
        door = await self.fleet.door(name)
        await door.terminal.run("send-keys", "-t", door.pane.id, *keys)

    async def type_line(self, name: str, line: str) -> None:
        door = await self.fleet.door(name)
        await door.terminal.run("send-keys", "-t", door.pane.id, "-l", line)
        await door.terminal.run("send-keys", "-t", door.pane.id, "Enter")

    async def drill(self, name: str, line: str) -> None:
        """Type a line into a dogfood agent and wait until it has taken it: what is sent next meets no draft."""

        async def drafted() -> bool:
            tail = (await look_at(await self.fleet.door(name))).reading.draft_tail or ""
            return bool(tail) and line.endswith(tail)

        door = await self.fleet.door(name)
        await door.terminal.run("send-keys", "-t", door.pane.id, "-l", line)
        await until(drafted, what=f"{line} in the prompt")
        await door.terminal.run("send-keys", "-t", door.pane.id, "Enter")

        async def taken() -> bool:
            return not await drafted()

        await until(taken, what=f"{line} taken")

    async def rows(self, name: str) -> str:
        door = await self.fleet.door(name)
        return await door.terminal.run("capture-pane", "-p", "-J", "-t", door.pane.id)

    def events(self, name: str) -> str:
        path = self.fleet.places.events_file(name)
        return path.read_text() if path.exists() else ""


async def ready(stage: Stage, name: str = "orchestrator") -> None:
    """Wait until an agent says that it is free, and its prompt is drawn: the one comes before the other."""

    async def available() -> bool:
        records = {record.name: record for record in await stage.fleet.observe()}
        if records[name].readiness != Readiness.AVAILABLE:
            return False
        return (await look_at(await stage.fleet.door(name))).reading.state is ScreenState.PROMPT

    await until(available, what=f"{name} available")


QUICK = Patience(
    prompt=timedelta(seconds=0.3),
    echo=timedelta(seconds=2),
    first_enter=timedelta(seconds=0.5),
    second_enter=timedelta(seconds=0.5),
    refused=timedelta(seconds=0.5),
    look=timedelta(milliseconds=50),
    afterwards=timedelta(seconds=0.3),
)

DOGFOOD = "{name: orchestrator, class: orchestrator, runtime: dogfood}"
