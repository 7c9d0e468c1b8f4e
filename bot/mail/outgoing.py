"""Files that agents send: opened under rules, kept, and said where the question came from."""

import mimetypes
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Protocol

from bot.enclosure import Enclosure
from bot.errors import UserError
from bot.files.rules import LOOKED_AT, safe_name, shown_type
from bot.mail.mailbox import Mailbox
from bot.model import (
    Address,
    Message,
    MessageKind,
    Principal,
    ReceiptState,
    agent_address,
    derived_id,
)
from bot.ports import Contents, Correspondence
from bot.reply import Text


@dataclass(frozen=True, slots=True)
class AgentFile:
    """An open file of an agent: its name, ``HOST:PATH``, its size in bytes, and its bytes, to be read once.

    ``close`` must be called in the end.
    """

    name: str
    path: str
    size: int
    chunks: AsyncIterator[bytes]
    close: Callable[[], None]


class AgentFiles(Protocol):
    """The files of the agents on this host, as far as each may send them."""

    def open(self, agent: Address, path: str) -> AgentFile:
        """Open a regular file in the agent's working directory or inbox; UserError for any other."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """A file on its way: the message that brings it, and where to."""

    message: Message
    file: Enclosure


class Outgoing:
    """Sends agents' files into the conversations that they are in. ``max_bytes`` bounds one file."""

    def __init__(
        self,
        files: AgentFiles,
        contents: Contents,
        mailbox: Mailbox,
        correspondence: Correspondence,
        *,
        max_bytes: int,
    ) -> None:
        self._files = files
        self._contents = contents
        self._mailbox = mailbox
        self._correspondence = correspondence
        self._max_bytes = max_bytes

    async def enclose(
        self, agent: Principal, path: str, caption: str, message_id: str | None
    ) -> Sent:
        """Send a file to where a message to the agent came from: the newest that has no answer, or the one named.

        UserError when nobody waits for it, when the file may not be sent, and when it is too large.
        """
        place = agent_address(*agent.id.partition(":")[2].split("/", 1))
        asked = await self._asked(place, message_id)
        file = await self._keep(place, path)
        message = Message(
            id=derived_id("enclosed", file.content),
            to=asked.origin or place,
            kind=MessageKind.ANSWER,
            blocks=(Text(caption),) if caption.strip() else (),
            author=agent.id,
            reply_to=asked.origin_event,
            cause=asked.id,
            files=(file,),
        )
        await self._mailbox.post([message])
        return Sent(message, file)

    async def _keep(self, place: Address, path: str) -> Enclosure:
        found = self._files.open(place, path)
        try:
            return await self._keep_open(found)
        finally:
            found.close()

    async def _keep_open(self, found: AgentFile) -> Enclosure:
        if found.size > self._max_bytes:
            raise UserError(
                f"{found.name} has {found.size:,} bytes; the limit is {self._max_bytes:,} bytes",
                code="too_large",
            )
        look = _Beginning()
        content = uuid.uuid4().hex
        size = await self._contents.keep(content, look.of(found.chunks))
        media_type = mimetypes.guess_type(found.name)[0] or shown_type(look.seen)
        return Enclosure(safe_name(found.name), media_type, size, content, path=found.path)

    async def _asked(self, place: Address, message_id: str | None) -> Message:
        """Return the mail that the agent answers by a file."""
        if message_id is not None:
            named = await self._correspondence.message(message_id)
            if named is None or named.to != place or not _is_asked(named):
                raise UserError(f"{message_id} is no message to you that a person waits for")
            return named
        waiting = [
            (state is ReceiptState.ACCEPTED, number, mail)
            for number, (mail, state) in enumerate(
                await self._correspondence.unanswered(place.carrier)
            )
            if mail.to == place and _is_asked(mail)
        ]
        if not waiting:
            raise UserError(
                "nobody waits for an answer of yours, so there is nowhere to send it",
                code="nobody_waits",
                hint="--to ID names an earlier message",
            )
        return max(waiting, key=lambda one: one[:2])[2]


class _Beginning:
    """Keeps the first bytes of what passes by."""

    def __init__(self) -> None:
        self.seen = b""

    async def of(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            if len(self.seen) < LOOKED_AT:
                self.seen += chunk[: LOOKED_AT - len(self.seen)]
            yield chunk


def _is_asked(mail: Message) -> bool:
    """Whether a message came from where people are shown what is said."""
    return mail.origin is not None and mail.origin.kind != "agent"
