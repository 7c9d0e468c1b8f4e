"""The edges between cards, and the locks under which they may change."""

from collections import deque
from collections.abc import Mapping, Sequence

from bot.errors import UserError
from storage.backlog.rows import unknown
from storage.database import Connection
from storage.queries import Queries


class Edges:
    """Changes edges and keeps ``unmet_deps`` right (spec 5-real-parts, Claims).

    A transaction takes ``hold`` or ``share`` before its first row lock, never both: that order is what
    makes deadlocks impossible.
    """

    def __init__(self) -> None:
        self._queries = Queries.load("dependencies")

    async def hold(self, connection: Connection) -> None:
        """Keep every other change of edges and every completion out until the transaction ends."""
        await self._queries.hold_graph.execute(connection)

    async def share(self, connection: Connection) -> None:
        """Keep changes of edges out until the transaction ends."""
        await self._queries.share_graph.execute(connection)

    async def change(
        self,
        connection: Connection,
        card_id: str,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        field: str = "depends_on",
    ) -> None:
        """Add and remove what a card depends on, under ``hold``.

        UserError, which names the ``field`` that asked for it, for an unknown id, a card that would wait
        for itself, and a cycle, with its path.
        """
        if remove:
            await self._queries.remove_edges.execute(
                connection, card_id=card_id, needs_ids=list(remove)
            )
        if add:
            await self._check(connection, card_id, list(add), field)
            await self._queries.add_edges.execute(connection, card_id=card_id, needs_ids=list(add))
        await self._queries.count_unmet.execute(connection, card_id=card_id)

    async def _check(
        self, connection: Connection, card_id: str, needs_ids: list[str], field: str
    ) -> None:
        if card_id in needs_ids:
            raise UserError(
                f"{field}: {card_id!r} cannot depend on itself",
                code="self_link",
                hint="name another card",
            )
        rows = await self._queries.lock_dependencies.fetch(connection, needs_ids=needs_ids)
        there = {row["id"] for row in rows}
        for needs_id in needs_ids:
            if needs_id not in there:
                raise unknown(needs_id, field)
        below = await self._queries.find_cycle.fetch(
            connection, card_id=card_id, needs_ids=needs_ids
        )
        if below:
            path = _shortest(card_id, needs_ids, _below(below))
            raise UserError(
                f"{field}: {path[1]!r} is not allowed, it would close the cycle {' → '.join(path)}",
                code="cycle",
                hint="unlink one of these first",
            )


def _below(rows: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    below: dict[str, list[str]] = {}
    for row in rows:
        below.setdefault(row["card_id"], []).append(row["needs_id"])
    return below


def _shortest(
    card_id: str, needs_ids: Sequence[str], below: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the shortest way from a card over one of ``needs_ids`` back to it, both ends included."""
    ways = deque([card_id, needs_id] for needs_id in needs_ids)
    seen = set(needs_ids)
    while ways:
        way = ways.popleft()
        if way[-1] == card_id:
            return way
        for needs_id in below.get(way[-1], ()):
            if needs_id not in seen:
                seen.add(needs_id)
                ways.append([*way, needs_id])
    raise ValueError(f"no way leads back to {card_id}")
