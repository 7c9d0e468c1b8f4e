"""The record of decisions, in Postgres."""

from collections.abc import Sequence
from typing import Any

from bot.model import Decision, Principal, Via
from storage.database import Database
from storage.queries import Queries


class PostgresAudit:
    """The port Audit. Rows are only ever added; the database refuses anything else."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queries = Queries.load("audit")

    async def note(
        self, principal: Principal, action: str, resource: str, via: Via, decision: Decision
    ) -> None:
        """Write a decision down."""
        async with self._database.connection() as connection:
            await self._queries.note_decision.execute(
                connection,
                principal_id=principal.id,
                principal_name=principal.name,
                via=via,
                action=action,
                resource=resource,
                allowed=decision.allowed,
                rule=decision.rule,
                reason=decision.reason,
            )

    async def last(self, principal_id: str | None, limit: int) -> Sequence[dict[str, Any]]:
        """Return decisions, newest first, on everybody when no principal is given.

        Keys: ``at`` (aware), ``principal_id``, ``principal_name``, ``via``, ``action``,
        ``resource``, ``allowed``, ``rule``, ``reason``.
        """
        async with self._database.connection() as connection:
            if principal_id is None:
                rows = await self._queries.last_of_all.fetch(connection, count=limit)
            else:
                rows = await self._queries.last_of_principal.fetch(
                    connection, principal_id=principal_id, count=limit
                )
        return [dict(row) for row in rows]
