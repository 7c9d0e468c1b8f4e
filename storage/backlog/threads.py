"""The threads of cards, and what is news there, in Postgres."""

from collections.abc import Sequence

from bot.backlog.cards import CardEvent
from bot.backlog.threads import CardNews
from bot.model import Address
from storage.backlog.rows import CardRows
from storage.database import Database
from storage.queries import Queries


class PostgresThreads:
    """The port Threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("threads")
        self._rows = CardRows()

    async def bind(self, card_id: str, thread: Address) -> bool:
        """Give a card a thread; UserError when there is no such card."""
        where = {"connector": thread.kind, "place": thread.place, "thread": thread.thread}
        async with self._database.transaction() as connection:
            await self._rows.find(connection, card_id)
            bind, is_bound = self._queries.bind_thread, self._queries.is_bound
            if await bind.fetchval(connection, card_id=card_id, **where) is not None:
                return True
            return bool(await is_bound.fetchval(connection, card_id=card_id, **where))

    async def find(self, card_id: str) -> Sequence[Address]:
        """Return a card's threads."""
        async with self._database.connection() as connection:
            rows = await self._queries.find_threads.fetch(connection, card_id=card_id)
        return [Address(row["connector"], row["place"], row["thread"]) for row in rows]

    async def card_in(self, thread: Address) -> str | None:
        """Return whose thread it is."""
        async with self._database.connection() as connection:
            found: str | None = await self._queries.find_card_in.fetchval(
                connection, connector=thread.kind, place=thread.place, thread=thread.thread
            )
        return found

    async def holder_in(self, thread: Address) -> str | None:
        """Return who holds the card whose thread it is."""
        async with self._database.connection() as connection:
            found: str | None = await self._queries.find_holder_in.fetchval(
                connection, connector=thread.kind, place=thread.place, thread=thread.thread
            )
        return found

    async def of_dispatch(self, message_id: str) -> Address | None:
        """Return a thread of the card that a dispatch's prompt or question is about."""
        async with self._database.connection() as connection:
            row = await self._queries.find_thread_of_dispatch.fetchrow(
                connection, message_id=message_id
            )
        return None if row is None else Address(row["connector"], row["place"], row["thread"])

    async def opened(self, message_id: str) -> str | None:
        """Return the platform's id of a message's first part."""
        async with self._database.connection() as connection:
            found: str | None = await self._queries.find_opening.fetchval(
                connection, message_id=message_id
            )
        return found


class PostgresNewsFeed:
    """The port NewsFeed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("threads")

    async def position(self) -> int:
        """Return the line of history up to which everything was said."""
        async with self._database.connection() as connection:
            position: int = await self._queries.find_news_position.fetchval(connection)
        return position

    async def after(self, position: int, limit: int) -> Sequence[CardNews]:
        """Return news in the order of history."""
        async with self._database.connection() as connection:
            rows = await self._queries.news_after.fetch(
                connection, event_id=position, row_limit=limit
            )
        return [_read(row) for row in rows]

    async def settle(self) -> None:
        """Let the position follow."""
        async with self._database.connection() as connection:
            await self._queries.move_news_position.execute(connection)


def _read(row: dict[str, object]) -> CardNews:
    said = {name: row[name] for name in CardEvent.__dataclass_fields__}
    thread = row["thread"]
    return CardNews(
        position=int(str(row["id"])),
        card_id=str(row["card_id"]),
        title=str(row["title"]),
        event=CardEvent(**said),  # type: ignore[arg-type]
        thread=Address(
            str(row["connector"]), str(row["place"]), None if thread is None else str(thread)
        ),
    )
