"""A Matrix connector in a room with a person, and an ear for what it hands over."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.enclosure import Enclosure
from bot.model import (
    Address,
    Gap,
    Inbound,
    InboundBatch,
    MessageKind,
    OutboundMessage,
    Principal,
    Unreadable,
)
from bot.rooms.devices import Verification, VerificationStep
from connectors.matrix.connector import MatrixConnector
from connectors.matrix.crypto.cipher import Cipher
from connectors.matrix.gaps import Bounds
from connectors.matrix.homeserver.accounts import Account
from connectors.matrix.keys import Keys
from tests.fakes.contents import MemoryContents
from tests.stages.synapse import Person, Town
from tests.waiting import until

_numbers = itertools.count(1)


@dataclass(slots=True)
class Ear:
    """What a connector handed over; ``position`` is the last one, as a database would keep it."""

    batches: list[InboundBatch] = field(default_factory=list)
    position: str | None = None

    async def accept(self, batch: InboundBatch) -> None:
        self.batches.append(batch)
        self.position = batch.position

    @property
    def events(self) -> list[Inbound]:
        return [event for batch in self.batches for event in batch.events]

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.events]

    @property
    def unreadable(self) -> list[Unreadable]:
        return [one for batch in self.batches for one in batch.unreadable]

    @property
    def gaps(self) -> list[Gap]:
        return [gap for batch in self.batches for gap in batch.gaps]


class Bot:
    """An account whose connector a test starts and stops like a daemon would.

    ``allowed`` are the principals who may invite, ``reports`` what the operators were told, ``moves`` which room took
    over from which; ``read`` are the events that the journal knows, ``verifications`` every step of which people are
    told.
    """

    def __init__(self, town: Town, account: Account, room_id: str) -> None:
        self.town = town
        self.account = account
        self.room_id = room_id
        self.allowed: set[str] = set()
        self.reports: list[str] = []
        self.contents = MemoryContents()
        self.asked: list[str] = []
        self.moves: dict[str, str] = {}
        self.read: set[str] = set()
        self.url = town.url
        self.verifications: list[Verification] = []

    @property
    def user_id(self) -> str:
        return self.account.user_id

    def connector(self, **changes: Any) -> MatrixConnector:
        arguments: dict[str, Any] = {
            "homeserver_url": self.url,
            "user_id": self.account.user_id,
            "room_id": self.room_id,
            "access_token": self.account.token,
            "may_invite": self._may_invite,
            "report": self._report,
            "knows": self._knows,
            "successors": self.moves,
            "moved": self._moved,
            "verified": self._verified,
            "contents": self.contents,
            **changes,
        }
        return MatrixConnector(**arguments)

    @asynccontextmanager
    async def listening(
        self,
        ear: Ear,
        *,
        bounds: Bounds | None = None,
        hold: timedelta = timedelta(seconds=30),
        **changes: Any,
    ) -> AsyncIterator[MatrixConnector]:
        """Run a connector from the ear's position until the block ends; it listens when this returns."""
        connector = self.connector(bounds=bounds, hold=hold, **changes)
        known = len(ear.batches)
        task = asyncio.create_task(connector.subscribe(ear.accept, ear.position))
        try:
            await until(lambda: len(ear.batches) > known or task.done(), what="the first batch")
            yield connector
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await connector.close()
        if not task.cancelled():
            task.result()

    async def wire(self) -> list[dict[str, Any]]:
        """Return what the bot said, oldest first, as a client without keys sees it."""
        events = await self.town.client(self.account).events(self.room_id, self.user_id)
        return [event for event in events if "state_key" not in event]

    def knows(self, connector: MatrixConnector, account: Account) -> bool:
        """Return whether the connector gives keys to a device."""
        machine = _cipher(connector).tools.machine
        return account.device_id in {one.id for one in machine.others([account.user_id])}

    async def has_spare_key(self) -> bool:
        """Return whether the homeserver has a fallback key of the bot that nobody used."""
        client = self.town.client(self.account).client
        headers = {"Authorization": f"Bearer {self.account.token}"}
        answer = await client.send("GET", "/_matrix/client/v3/sync?timeout=0", None, headers)
        told = json.loads(await answer.read())
        return "signed_curve25519" in told["device_unused_fallback_key_types"]

    def is_overdue(self, connector: MatrixConnector, keys: Keys) -> bool:
        """Return whether people are to be told of a message whose key did not come."""
        return bool(_cipher(connector).tools.shelf.due(keys.patience))

    def counts_on(self, connector: MatrixConnector, user_id: str) -> bool:
        """Return whether the connector believes somebody to be in the room."""
        return user_id in connector._privacy.members._known.get(self.room_id, ())

    async def _may_invite(self, who: Principal) -> bool:
        self.asked.append(who.id)
        return who.id in self.allowed

    async def _knows(self, event_ids: Sequence[str]) -> frozenset[str]:
        return frozenset(self.read & set(event_ids))

    async def _verified(self, verification: Verification) -> None:
        self.verifications.append(verification)

    async def step(self, step: VerificationStep) -> Verification:
        """Wait until people are told of a step of a verification."""
        await until(
            lambda: any(one.step is step for one in self.verifications), 15, f"the step {step}"
        )
        return [one for one in self.verifications if one.step is step][-1]

    async def _moved(self, old: str, new: str) -> None:
        self.moves[old] = new

    async def _report(self, text: str) -> None:
        self.reports.append(text)


def _cipher(connector: MatrixConnector) -> Cipher:
    assert connector._cipher is not None
    return connector._cipher


def message(
    room_id: str,
    text: str,
    kind: MessageKind = MessageKind.REPLY,
    *,
    thread: str | None = None,
    reply_to: str | None = None,
    html: str | None = None,
    transaction_id: str | None = None,
    files: tuple[Enclosure, ...] = (),
) -> OutboundMessage:
    """Return a message to a room, with a transaction id of its own unless one is given."""
    number = next(_numbers)
    return OutboundMessage(
        message_id=f"message{number}",
        part=0,
        transaction_id=transaction_id or f"transaction{number}",
        to=Address("matrix", room_id, thread),
        kind=kind,
        text=text,
        html=html,
        reply_to=reply_to,
        files=files,
    )


async def meet(town: Town) -> tuple[Person, Bot]:
    """Return a person and a bot who share a room; the person may invite."""
    ann, account = await town.person("ann"), await town.account("mosaic")
    bot = Bot(town, account, await town.room(account, ann.account))
    bot.allowed.add(f"matrix:{ann.user_id}")
    return ann, bot
