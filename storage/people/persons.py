"""Linked accounts, and the codes by which they come to be linked, in Postgres."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from bot.model import Address, Letter, Principal
from bot.persons import LinkRequest, Persons
from storage.database import Connection, Database
from storage.mail.letters import store_letters
from storage.queries import Queries, storable


class PostgresLinkRequests:
    """The port LinkRequests. Lifetimes are measured by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("persons")
        self._mailbox = Queries.load("mailbox")

    async def ask(self, request: LinkRequest, lifetime: timedelta) -> None:
        """Keep a request; whoever asks sweeps what has expired."""
        async with self._database.connection() as connection:
            await self._queries.ask_link.execute(
                connection,
                principal_id=request.asked_by.id,
                principal_name=request.asked_by.name,
                code=request.code,
                kind=request.place.kind,
                place=request.place.place,
                thread=request.place.thread,
                reply_to=request.reply_to,
                lifetime=lifetime,
            )

    async def find(self, code: str) -> LinkRequest | None:
        """Return the request that waits under a code."""
        async with self._database.connection() as connection:
            row = await self._queries.find_link.fetchrow(connection, code=storable(code))
        return None if row is None else _request(row)

    async def say(self, code: str, by: Principal, letters: Sequence[Letter]) -> bool:
        """Note who said a code together with what is told of it; of two who try at once, one is noted."""
        async with self._database.transaction() as connection:
            said = await self._queries.say_link.fetchval(
                connection, code=storable(code), said_by_id=by.id, said_by_name=by.name
            )
            if said is not None:
                await store_letters(connection, self._mailbox, letters)
        return said is not None

    async def settle(self, code: str, owner_id: str, *, agreed: bool) -> LinkRequest | None:
        """Take a code that was said, and link the two if that was agreed, in one transaction."""
        async with self._database.transaction() as connection:
            row = await self._queries.take_link.fetchrow(
                connection, code=storable(code), principal_id=owner_id
            )
            if row is None:
                return None
            request = _request(row)
            if agreed and request.said_by is not None:
                await self._join(connection, request.asked_by, request.said_by)
        return request

    async def _join(self, connection: Connection, one: Principal, other: Principal) -> None:
        await self._queries.lock_linked.execute(connection)
        person = uuid.uuid4().hex
        await self._queries.merge_persons.execute(
            connection, person=person, principal_ids=[one.id, other.id]
        )
        for principal in (one, other):
            await self._queries.keep_linked.execute(
                connection,
                principal_id=principal.id,
                principal_name=principal.name,
                person=person,
            )


class PostgresLinks:
    """The port Links."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("persons")

    async def persons(self) -> Persons:
        """Return everybody who is linked."""
        async with self._database.connection() as connection:
            rows = await self._queries.list_linked.fetch(connection)
        groups = groupby(rows, key=lambda row: row["person"])
        return Persons(
            [Principal(row["principal_id"], row["principal_name"]) for row in group]
            for _, group in groups
        )

    async def part(self, principal_id: str) -> bool:
        """Take a principal out of its person; who is left alone there is no person of several any more."""
        async with self._database.transaction() as connection:
            await self._queries.lock_linked.execute(connection)
            person = await self._queries.part_linked.fetchval(
                connection, principal_id=storable(principal_id)
            )
            if person is not None:
                await self._queries.forget_alone.execute(connection, person=person)
        return person is not None


def _request(row: Any) -> LinkRequest:
    said_by = None
    if row["said_by_id"] is not None:
        said_by = Principal(row["said_by_id"], row["said_by_name"])
    return LinkRequest(
        code=row["code"],
        asked_by=Principal(row["principal_id"], row["principal_name"]),
        place=Address(row["kind"], row["place"], row["thread"]),
        reply_to=row["reply_to"],
        said_by=said_by,
    )
