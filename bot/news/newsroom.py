"""Tells every card's thread what became of the card."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from bot.backlog.ports import NewsFeed
from bot.backlog.threads import CardNews, sentence_of
from bot.mail.mailbox import Mailbox
from bot.model import Message, MessageKind, derived_id
from bot.reply import Text

_PAGE = 200
_LOOK = timedelta(seconds=2)
_SETTLE_EVERY = 30
"""Looks between two steps of the stored position."""


class Newsroom:
    """The part ``newsroom``: says each piece of news once, whatever dies in between.

    A message's id is made from the line of history and the thread, so telling it again changes nothing.
    """

    name = "newsroom"

    def __init__(self, feed: NewsFeed, mailbox: Mailbox, *, look: timedelta = _LOOK) -> None:
        self._feed = feed
        self._mailbox = mailbox
        self._look = look
        self._told: set[str] = set()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Look for news until cancelled; TransientError when the database is away, and nothing is lost."""
        looks = 0
        while True:
            position = await self._feed.position()
            await self._tell_after(position)
            ready("telling the threads of cards")
            looks += 1
            if looks % _SETTLE_EVERY == 0:
                await self._feed.settle()
            await asyncio.sleep(self._look.total_seconds())

    async def _tell_after(self, position: int) -> None:
        """Say what is new since a position; what was said before that is kept in mind is passed over."""
        current: set[str] = set()
        while True:
            page = await self._feed.after(position, _PAGE)
            messages = {message.id: message for message in map(_message, page)}
            fresh = [message for id, message in messages.items() if id not in self._told]
            if fresh:
                await self._mailbox.post(fresh)
            current |= messages.keys()
            self._told |= messages.keys()
            if len(page) < _PAGE:
                break
            position = page[-1].position - 1  # one line may be news in several threads
        self._told = current


def _message(news: CardNews) -> Message:
    return Message(
        id=derived_id("card news", str(news.position), str(news.thread)),
        to=news.thread,
        kind=MessageKind.NOTICE,
        blocks=(Text(sentence_of(news)),),
        # Who began the thread waits for the card's end, and is called then.
        reply_to=news.thread.thread if news.event.detail["status"]["to"] == "done" else None,
    )
