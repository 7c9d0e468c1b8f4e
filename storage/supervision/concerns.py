"""Concerns in Postgres."""

from collections.abc import Sequence
from datetime import timedelta

from bot.model import Letter
from bot.supervision.concerns import LONGEST, Concern
from storage.database import Database
from storage.mail.letters import store_letters
from storage.queries import Queries


class PostgresConcerns:
    """The port Concerns. Every method may be repeated after a TransientError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("concerns")
        self._mailbox = Queries.load("mailbox")

    async def raise_(self, kind: str, subject: str, text: str, *, urgent: bool = False) -> bool:
        """Begin an episode, or give the open one this text."""
        async with self._database.connection() as connection:
            began = await self._queries.raise_concern.fetchval(
                connection, kind=kind, subject=subject, text=text[:LONGEST], urgent=urgent
            )
        return bool(began)

    async def settle(self, kind: str, subject: str) -> bool:
        """End the open episode."""
        async with self._database.connection() as connection:
            ended = await self._queries.settle_concern.fetchval(
                connection, kind=kind, subject=subject
            )
        return ended is not None

    async def open(self) -> Sequence[Concern]:
        """Return every open concern."""
        async with self._database.connection() as connection:
            return [Concern(**row) for row in await self._queries.find_open.fetch(connection)]

    async def untold(self) -> Sequence[Concern]:
        """Return what people must be told of."""
        async with self._database.connection() as connection:
            return [Concern(**row) for row in await self._queries.find_untold.fetch(connection)]

    async def tell(
        self,
        concerns: Sequence[Concern],
        letters: Sequence[Letter],
        again_after: timedelta | None = None,
    ) -> bool:
        """Store what is said and that it is said, or nothing of it."""
        async with self._database.transaction() as connection:
            marked = await self._queries.mark_told.fetch(
                connection,
                ids=[concern.id for concern in concerns],
                told_ats=[concern.told_at for concern in concerns],
                again_after=again_after,
            )
            if len(marked) < len(concerns):
                return False
            await store_letters(connection, self._mailbox, letters)
        return True
