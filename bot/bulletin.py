"""What the operators should know without having asked, said once a day at most in the primary place."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from bot.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, derived_id
from bot.reply import Block, Offer, Text


class Bulletin:
    """The part ``bulletin``: takes news at any time and posts them when the mailbox can take them.

    News that could not be posted before the daemon stopped are in the log and in ``mosaic status`` only.
    """

    name = "bulletin"

    def __init__(self, mailbox: Mailbox, primary: Callable[[], Address]) -> None:
        self._mailbox = mailbox
        self._primary = primary
        self._news: list[tuple[tuple[Block, ...], tuple[Offer, ...]]] = []
        self._arrived = asyncio.Event()

    def put(self, text: str, *more: Block, offers: tuple[Offer, ...] = ()) -> None:
        """Add a piece of news, with what may be chosen on it; the same words are said once a day."""
        self._news.append(((Text(text), *more), offers))
        self._arrived.set()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Post news until cancelled; TransientError when the database is away, and nothing is dropped."""
        ready("telling the operators")
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._news:
                await self._mailbox.post([self._message(*self._news[0])])
                self._news.pop(0)

    def _message(self, blocks: tuple[Block, ...], offers: tuple[Offer, ...]) -> Message:
        to, day = self._primary(), datetime.now(UTC).date().isoformat()
        said = "".join(block.text for block in blocks if isinstance(block, Text))
        return Message(
            id=derived_id("bulletin", day, to.lane, said),
            to=to,
            kind=MessageKind.NOTICE,
            blocks=blocks,
            offers=offers,
        )
