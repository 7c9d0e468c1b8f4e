"""Named queries: SQL lives in ``sql/*.sql``, and code calls it by name with keywords.

    -- name: claim_card(owner, ttl)
    -- Why it is written as it is, in one line or more.
    UPDATE … WHERE owner = $1 …

The first argument is ``$1``, the second ``$2``. Postgres text holds neither NUL nor a lone surrogate, so both
become U+FFFD on the way in: what a person typed must never stop the queue.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

_HEAD = re.compile(r"^-- name: (?P<name>[a-z_]+)\((?P<arguments>[a-z_, ]*)\)$")
_PLACEHOLDER = re.compile(r"\$(\d+)")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(value: Any) -> Any:
    """Return the value with every character that Postgres cannot hold replaced by U+FFFD."""
    if isinstance(value, str):
        return value if value.isprintable() else _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


class Query:
    """One named statement. Its methods take a connection and exactly its arguments, by keyword.

    A missing or unknown keyword is a TypeError that names it. asyncpg prepares the statement once per
    connection and keeps it.
    """

    __slots__ = ("arguments", "name", "sql", "why")

    def __init__(self, name: str, arguments: Sequence[str], why: str, sql: str) -> None:
        self.name = name
        self.arguments = tuple(arguments)
        self.why = why
        self.sql = sql

    async def fetch(self, connection: Any, **values: Any) -> list[Any]:
        """Run it and return all rows."""
        return list(await connection.fetch(self.sql, *self._ordered(values)))

    async def fetchrow(self, connection: Any, **values: Any) -> Any:
        """Run it and return the first row, or None."""
        return await connection.fetchrow(self.sql, *self._ordered(values))

    async def fetchval(self, connection: Any, **values: Any) -> Any:
        """Run it and return the first column of the first row, or None."""
        return await connection.fetchval(self.sql, *self._ordered(values))

    async def execute(self, connection: Any, **values: Any) -> None:
        """Run it for its effect."""
        await connection.execute(self.sql, *self._ordered(values))

    def _ordered(self, values: Mapping[str, Any]) -> list[Any]:
        if values.keys() != set(self.arguments):
            missing = [name for name in self.arguments if name not in values]
            unknown = [name for name in values if name not in self.arguments]
            raise TypeError(f"query {self.name}: missing {missing}, unknown {unknown}")
        return [storable(values[name]) for name in self.arguments]


class Queries:
    """The queries of one file, each an attribute: ``queries.claim_card.fetchrow(connection, owner=…)``."""

    def __init__(self, topic: str, queries: Mapping[str, Query]) -> None:
        self._topic = topic
        self._queries = dict(queries)

    @classmethod
    def load(cls, topic: str) -> "Queries":
        """Read ``storage/sql/<topic>.sql``; ValueError says which query is not well formed."""
        text = (resources.files("storage.sql") / f"{topic}.sql").read_text("utf-8")
        return cls.parse(topic, text)

    @classmethod
    def parse(cls, topic: str, text: str) -> "Queries":
        """Read queries from the text of a file; ``topic`` names it in errors."""
        queries: dict[str, Query] = {}
        for head, lines in _sections(topic, text):
            query = _read(topic, head, lines)
            if query.name in queries:
                raise ValueError(f"{topic}.sql: {query.name} is there twice")
            queries[query.name] = query
        return cls(topic, queries)

    def __getattr__(self, name: str) -> Query:
        try:
            return self.__dict__["_queries"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"{self.__dict__.get('_topic')}.sql has no query {name}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())


def topics() -> list[str]:
    """Return the names of all query files, sorted."""
    files = resources.files("storage.sql").iterdir()
    return sorted(item.name.removesuffix(".sql") for item in files if item.name.endswith(".sql"))


def _sections(topic: str, text: str) -> list[tuple[re.Match[str], list[str]]]:
    sections: list[tuple[re.Match[str], list[str]]] = []
    for line in text.splitlines():
        head = _HEAD.match(line)
        if head is not None:
            sections.append((head, []))
        elif line.startswith("-- name:"):
            raise ValueError(f"{topic}.sql: not a query's head: {line}")
        elif sections:
            sections[-1][1].append(line)
        elif line and not line.startswith("--"):
            raise ValueError(f"{topic}.sql: before the first query: {line}")
    return sections


def _read(topic: str, head: re.Match[str], lines: Sequence[str]) -> Query:
    name = head["name"]
    arguments = [word.strip() for word in head["arguments"].split(",") if word.strip()]
    why = [line.removeprefix("--").strip() for line in lines if line.startswith("--")]
    sql = "\n".join(line for line in lines if not line.startswith("--")).strip()
    if not why:
        raise ValueError(f"{topic}.sql: {name} does not say why")
    used = {int(number) for number in _PLACEHOLDER.findall(sql)}
    if used != set(range(1, len(arguments) + 1)):
        raise ValueError(f"{topic}.sql: {name} takes {arguments} but uses ${sorted(used)}")
    return Query(name, arguments, " ".join(why), sql.rstrip(";"))
