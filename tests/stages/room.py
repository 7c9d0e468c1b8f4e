"""A room on a real homeserver in which a person talks with a running installation."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import nio

from connectors.matrix.homeserver.accounts import Account
from tests.stages.installation import Installation
from tests.stages.synapse import Person, Town
from tests.waiting import until

PATIENCE = 60.0
"""Seconds that a fact may take on a busy machine."""

Event = dict[str, Any]
DEMO = (
    {"name": "orchestrator", "class": "orchestrator", "runtime": "dogfood"},
    {"name": "enhancer", "class": "enhancer", "runtime": "dogfood"},
)


class Watch:
    """What a person's client shows: every event of every room in the order in which it came.

    It goes on when the homeserver goes and comes back.
    """

    def __init__(self, person: Person) -> None:
        self.events: dict[str, list[Event]] = {}
        self._person = person
        self._since: str | None = None

    async def look(self) -> None:
        """Read what comes in until cancelled."""
        while True:
            try:
                self._take(await self._sync())
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
                await asyncio.sleep(0.1)

    async def _sync(self) -> Any:
        query = {"timeout": "30000", "filter": '{"room":{"timeline":{"limit":100}}}'}
        if self._since is not None:
            query["since"] = self._since
        client = self._person.client
        headers = {"Authorization": f"Bearer {client.access_token}"}
        path = f"/_matrix/client/v3/sync?{urlencode(query)}"
        answer = await client.send("GET", path, None, headers, timeout=45)
        if answer.status != 200:
            raise ValueError(f"/sync answered {answer.status}")
        return json.loads(await answer.read())

    def _take(self, told: Any) -> None:
        self._since = told["next_batch"]
        for room_id, room in told.get("rooms", {}).get("join", {}).items():
            self.events.setdefault(room_id, []).extend(room["timeline"]["events"])

    def seen(self, room_id: str, sender: str) -> list[Event]:
        """Return what somebody said or marked in a room."""
        return [e for e in self.events.get(room_id, ()) if e["sender"] == sender]


class OpsRoom:
    """The installation, its room, and Ann, who operates it there."""

    def __init__(
        self, installation: Installation, town: Town, ann: Person, bot: Account, room_id: str
    ) -> None:
        self.installation = installation
        self.town = town
        self.ann = ann
        self.bot = bot
        self.room_id = room_id
        self.watch = Watch(ann)

    async def say(self, text: str, **more: Any) -> str:
        """Let Ann say a text; return its event's id."""
        return await self.ann.say(self.room_id, text, **more)

    async def ask(self, text: str) -> str:
        """Let Ann say a text and return what is answered to it, when exactly one answer stands there."""
        content = await self.answer(await self.say(text))
        return str(content["body"])

    def said(self, room_id: str | None = None) -> list[Event]:
        """Return the bot's events in a room, its messages and its marks."""
        return self.watch.seen(room_id or self.room_id, self.bot.user_id)

    def answers(self, event_id: str) -> list[Event]:
        """Return the contents of the bot's messages that answer an event."""
        return [e["content"] for e in self.said() if answered(e) == event_id]

    def marks(self, event_id: str) -> list[str]:
        """Return the bot's reactions that stand on an event, in order."""
        gone = {withdrawn(e) for e in self.said()}
        marks = [e for e in self.said() if e["event_id"] not in gone]
        return [mark for e in marks if (mark := mark_on(e, event_id))]

    def notices(self, part: str) -> list[str]:
        """Return the bot's messages in the room that hold some words."""
        bodies = [str(e["content"].get("body", "")) for e in self.said()]
        return [body for body in bodies if part in body]

    def threaded(self, event_id: str) -> list[str]:
        """Return what the bot said in the thread below an event."""
        return [str(e["content"]["body"]) for e in self.said() if thread_of(e) == event_id]

    async def announced(self, part: str, count: int = 1) -> str:
        """Wait until the bot has said some words so often in the room, and return the last event's id."""

        def found() -> list[str]:
            said = [e for e in self.said() if part in str(e["content"].get("body", ""))]
            return [str(e["event_id"]) for e in said][count - 1 :]

        return str((await until(found, PATIENCE, f"{part!r} to be said"))[-1])

    async def answer(self, event_id: str) -> Event:
        """Wait until an event is answered and return the one answer's content."""
        await until(lambda: self.answers(event_id), PATIENCE, f"an answer to {event_id}")
        return self.answers(event_id)[0]

    async def marked(self, event_id: str, mark: str) -> None:
        """Wait until the bot has put a mark on an event."""
        await until(lambda: mark in self.marks(event_id), PATIENCE, f"{mark} on {event_id}")

    async def marked_alone(self, event_id: str, mark: str) -> None:
        """Wait until of the bot's marks on an event one alone is left."""
        alone = f"{mark} alone on {event_id}"
        await until(lambda: self.marks(event_id) == [mark], PATIENCE, alone)

    async def handled(self, event_id: str) -> str:
        """Wait until the daemon has handled an event and return how that ended."""

        def outcome() -> str:
            entries = self.installation.entries()
            found = (e["outcome"] for e in entries if e.get("event_id") == event_id)
            return next((str(word) for word in found), "")

        return await until(outcome, PATIENCE, f"{event_id} to be handled")

    async def steady(self) -> None:
        """Wait until all parts of the daemon work."""

        async def all_ok() -> bool:
            parts = (await self.installation.status())["parts"].values()
            return all(
                part["state"] == "ok" for part in parts if "mosaic chat" not in part["detail"]
            )

        await until(all_ok, PATIENCE, "all parts to be ok")


def answered(event: Event) -> str | None:
    """Return which event a message answers."""
    relation = event["content"].get("m.relates_to") or {}
    if event["type"] != "m.room.message":
        return None
    found: str | None = (relation.get("m.in_reply_to") or {}).get("event_id")
    return found


def thread_of(event: Event) -> str | None:
    """Return the root of the thread that a message is in."""
    relation = event["content"].get("m.relates_to") or {}
    if event["type"] != "m.room.message" or relation.get("rel_type") != "m.thread":
        return None
    return str(relation["event_id"])


def withdrawn(event: Event) -> str | None:
    """Return which event a redaction takes away (its place depends on the room's version)."""
    if event["type"] != "m.room.redaction":
        return None
    found: str | None = event.get("redacts") or event["content"].get("redacts")
    return found


def mark_on(event: Event, event_id: str) -> str | None:
    """Return the mark that a reaction puts on an event."""
    relation = event["content"].get("m.relates_to") or {}
    if event["type"] != "m.reaction" or relation.get("event_id") != event_id:
        return None
    return str(relation["key"])


async def insist(person: Person, room_id: str, text: str, transaction_id: str) -> str:
    """Say a text once, however often the homeserver dies meanwhile; return its event's id."""
    content = {"msgtype": "m.text", "body": text}
    while True:
        try:
            answer = await person.client.room_send(
                room_id, "m.room.message", content, transaction_id
            )
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            answer = None
        if isinstance(answer, nio.RoomSendResponse):
            return str(answer.event_id)
        await asyncio.sleep(0.1)


@asynccontextmanager
async def ops_room(
    home: Path,
    town: Town,
    *,
    members: Sequence[Person] = (),
    strangers: Sequence[Person] = (),
    rooms: Sequence[str] = (),
    agents: Sequence[Mapping[str, Any]] = DEMO,
) -> AsyncIterator[OpsRoom]:
    """Lend a room with a home that is made for it; the daemon does not run yet."""
    ann, bot = await town.person("ann"), await town.account("mosaic")
    guests = (guest.account for guest in (*members, *strangers))
    room_id = await town.room(ann.account, bot, *guests)
    installation = Installation(home, {"MATRIX_ACCESS_TOKEN": bot.token})
    installation.write_settings(
        "[access]\n"
        f"operators = {json.dumps([f'matrix:{ann.user_id}'])}\n"
        f"members = {json.dumps([f'matrix:{member.user_id}' for member in members])}\n"
        f"rooms = {json.dumps([f'matrix:{other}' for other in rooms])}\n"
    )
    block = {"homeserver_url": town.url, "user_id": bot.user_id, "room_id": room_id}
    installation.write_roster(
        {
            "version": 1,
            "tmux": {"socket_name": f"acceptance-{os.getpid()}-{os.urandom(3).hex()}"},
            "connector": {"kind": "matrix", "matrix": block},
            "agents": [dict(agent) for agent in agents],
        }
    )
    room = OpsRoom(installation, town, ann, bot, room_id)
    looking = asyncio.create_task(room.watch.look())
    try:
        yield room
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await installation.close()
