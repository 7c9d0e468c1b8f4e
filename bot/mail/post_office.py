"""Takes mail to agents, whoever writes it: keeps it from going in circles, stores it, follows it to its receipt."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NoReturn

import structlog

from bot.errors import UserError
from bot.mail.mailbox import Mailbox
from bot.mail.marks import mail_marks
from bot.mail.post import SETTLED, Limits, Post, spoken, spoken_principal
from bot.model import (
    Address,
    Message,
    MessageKind,
    Principal,
    Receipt,
    ReceiptState,
    derived_id,
)
from bot.ports import Correspondence
from bot.reply import Text

_FIRST_LOOK, _LAST_LOOK = 0.02, 0.5


class PostOffice:
    """Takes mail for agents. ``tell`` hears when a chain was stopped, ``mirror`` every mail that was taken."""

    def __init__(
        self,
        post: Post,
        mailbox: Mailbox,
        correspondence: Correspondence,
        limits: Limits,
        *,
        tell: Callable[[str], None],
        mirror: Callable[[], Address | None],
    ) -> None:
        self._post = post
        self._mailbox = mailbox
        self._correspondence = correspondence
        self._limits = limits
        self._tell = tell
        self._mirror = mirror
        self._log = structlog.get_logger(part="post")

    async def send(self, author: Principal, draft: Message) -> Message:
        """Store mail to an agent and return it as it was stored; the same id is stored once.

        Between agents it joins the chain of the mail that its author works on. UserError when the chain or
        the pair has spent its budget (the people are told too), or when an agent writes to itself.
        """
        message = replace(draft, kind=MessageKind.MAIL, author=author.id)
        if author.platform == "agent":
            message = await self._chained(author.id.partition(":")[2], message)
        marks = mail_marks(message, ReceiptState.STORED)
        await self._mailbox.post([message, *marks, *self._mirrored(message)])
        self._log.info(
            "mail taken",
            message=message.id,
            author=author.id,
            to=message.to.place,
            hops=message.hops,
        )
        return message

    async def _chained(self, author: str, message: Message) -> Message:
        if author == message.to.place:
            raise UserError("an agent does not write to itself", code="own_address")
        cause = await self._post.cause(author, self._limits.quiet)
        hops = 0 if cause is None else cause.hops + 1
        if cause is not None and hops > self._limits.hops:
            self._stop(
                author,
                message,
                f"the chain that began with {cause.chain or cause.id} has had {hops} messages",
                code="hop_budget",
            )
        count = await self._post.between(author, message.to.place, self._limits.window)
        if count >= self._limits.pair:
            minutes = self._limits.window.total_seconds() / 60
            said = f"the two wrote {count} messages to each other within {minutes:g} minutes"
            self._stop(author, message, said, code="pair_budget")
        if cause is None:
            return message
        return replace(message, cause=cause.id, chain=cause.chain or cause.id, hops=hops)

    def _stop(self, author: str, message: Message, why: str, *, code: str) -> NoReturn:
        pair = f"{spoken(author)} → {spoken(message.to.place)}"
        self._log.warning("chain stopped", author=author, to=message.to.place, reason=code)
        self._tell(f"Agents' mail {pair} was stopped: {why}. A word from a person goes on.")
        raise UserError(
            f"not sent: {why}",
            code=code,
            hint="end your turn; a person was told and decides whether it goes on",
        )

    def _mirrored(self, message: Message) -> list[Message]:
        room = self._mirror()
        if room is None or not message.author.startswith("agent:"):
            return []
        text = "\n".join(block.text for block in message.blocks if isinstance(block, Text))
        pair = f"{spoken_principal(message.author)} → {spoken(message.to.place)}"
        return [
            Message(
                id=derived_id("mirror", message.id),
                to=room,
                kind=MessageKind.NOTICE,
                blocks=(Text(f"{pair} | {message.tag} | {message.id}"), Text(text)),
                cause=message.id,
            )
        ]

    async def follow(self, message_id: str, within: timedelta) -> Sequence[Receipt]:
        """Return a message's receipts, oldest first, as soon as it is settled, at the latest after ``within``."""
        loop = asyncio.get_running_loop()
        deadline, wait = loop.time() + within.total_seconds(), _FIRST_LOOK
        while True:
            receipts = await self._correspondence.receipts(message_id)
            left = deadline - loop.time()
            if left <= 0 or (receipts and receipts[-1].state in SETTLED):
                return receipts
            await asyncio.sleep(min(wait, left))
            wait = min(wait * 1.5, _LAST_LOOK)
