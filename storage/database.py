"""The pool of connections that everything in storage works through."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from bot.errors import SetupError, TransientError
from storage.queries import storable
from storage.translation import translated

Connection: TypeAlias = Any  # asyncpg ships no types
Hint = Callable[[str], None]

APPLICATION = "mosaic"
"""What our sessions call themselves."""

_QUESTION_SECONDS = 15
_CONNECT_SECONDS = 10
_ESCAPED_NUL = re.compile(r"\\u0000|[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a database is: a URL, or the directory of a server's unix socket.

    The URL may hold a password, so it shows in no repr.
    """

    url: str | None = field(default=None, repr=False)
    socket_directory: Path | None = None
    user: str = "mosaic"
    database: str = "mosaic"

    def arguments(self) -> dict[str, Any]:
        """Return the driver's keywords for it; a unix socket never listens to PG* variables."""
        if self.socket_directory is None:
            return {"dsn": self.url}
        return {
            "host": [str(self.socket_directory)],
            "port": 5432,
            "user": self.user,
            "database": self.database,
            "ssl": False,
        }


class Database:
    """A pool that may be closed and opened again while others hold this object.

    While it is closed, and when a connection breaks, its users get TransientError. A statement runs at
    most ``statement_timeout``, a transaction sits idle at most ``idle_timeout``; waiting for a free
    connection takes at most ``statement_timeout`` too.
    """

    def __init__(
        self,
        *,
        size: int = 8,
        statement_timeout: timedelta = timedelta(seconds=30),
        idle_timeout: timedelta = timedelta(seconds=30),
    ) -> None:
        self._size = size
        self._statement_timeout = statement_timeout
        self._settings = {
            "application_name": APPLICATION,
            "timezone": "UTC",
            # Queries are few and fixed, and indexed for every value: what planning one anew costs is a reply's time.
            "plan_cache_mode": "force_generic_plan",
            "statement_timeout": _milliseconds(statement_timeout),
            "idle_in_transaction_session_timeout": _milliseconds(idle_timeout),
        }
        self._pool: Any = None
        self._listener: Connection = None
        self._lost = asyncio.Event()
        self._hints: dict[str, list[Hint]] = {}

    @property
    def is_open(self) -> bool:
        """Whether connections can be asked for; it does not promise that the server answers."""
        return self._pool is not None

    @property
    def version(self) -> str:
        """The server's version, such as ``18.4``; TransientError while closed."""
        if self._listener is None:
            raise TransientError("the database is not open")
        return str(self._listener.get_settings().server_version).split()[0]

    async def open(self, target: Target) -> None:
        """Connect; TransientError when the server is away, SetupError when it refuses us."""
        await self.close()
        with translated():
            listener = await self._connect_listener(target)
            self._lost = lost = asyncio.Event()
            listener.add_termination_listener(lambda _connection: lost.set())
            try:
                for channel in self._hints:
                    await listener.add_listener(channel, self._on_hint)
                self._pool = await asyncpg.create_pool(
                    **target.arguments(),
                    min_size=0,  # or the driver reconnects by itself, and logs its failures
                    max_size=self._size,
                    init=_prepare,
                    reset=_reset,
                    server_settings=self._settings,
                    timeout=_CONNECT_SECONDS,
                    max_inactive_connection_lifetime=0,
                )
            except BaseException:
                listener.terminate()
                raise
            self._listener = listener

    async def _connect_listener(self, target: Target) -> Connection:
        try:
            return await asyncpg.connect(
                **target.arguments(), server_settings=self._settings, timeout=_CONNECT_SECONDS
            )
        except ValueError:  # what it says may hold the part of a password that was taken for a port
            raise SetupError(
                "the database's address cannot be read",
                hint="DATABASE_URL is postgresql://USER:PASSWORD@HOST:PORT/NAME, %-encoded",
            ) from None

    async def close(self) -> None:
        """Close all connections, at once and without asking; statements under way get TransientError."""
        pool, self._pool = self._pool, None
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.terminate()
        if pool is not None:
            pool.terminate()
            await asyncio.sleep(0)  # lets the transports close within this very call

    async def broken(self) -> None:
        """Return when the server is lost: at once when its connections end, else by a question every 15 s."""
        listener, lost = self._listener, self._lost
        while listener is not None and not lost.is_set():
            try:
                async with asyncio.timeout(_QUESTION_SECONDS):
                    await lost.wait()
            except TimeoutError:
                try:
                    await listener.execute("SELECT 1", timeout=_QUESTION_SECONDS)
                except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    return

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection on which every statement is a transaction of its own."""
        pool = self._pool
        if pool is None:
            raise TransientError("the database is not open")
        with translated():
            async with pool.acquire(timeout=self._statement_timeout.total_seconds()) as connection:
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction, which an error rolls back.

        A TransientError at its end may hide a commit that happened: what runs here must bear repeating.
        """
        async with self.connection() as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def listen(self, channel: str, hint: Hint) -> AsyncIterator[None]:
        """Call ``hint(payload)`` on notifications, also after the pool was opened anew.

        A notification is a hint and may be lost; whoever listens must poll as well.
        """
        known = channel in self._hints
        self._hints.setdefault(channel, []).append(hint)
        if self._listener is not None and not known:
            with translated():
                await self._listener.add_listener(channel, self._on_hint)
        try:
            yield
        finally:
            self._hints[channel].remove(hint)

    def _on_hint(self, _connection: Any, _pid: int, channel: str, payload: str) -> None:
        for hint in list(self._hints.get(channel, ())):
            hint(payload)


def _milliseconds(duration: timedelta) -> str:
    return str(int(duration.total_seconds() * 1000))


async def _prepare(connection: Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, encoder=_encode, decoder=json.loads, schema="pg_catalog"
        )


async def _reset(connection: Connection) -> None:
    """Skip the driver's reset, a round trip a time: nothing here leaves state on a session."""
    if connection.is_in_transaction():
        with contextlib.suppress(asyncpg.PostgresError):
            await connection.reset()


def _encode(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if _ESCAPED_NUL.search(text) is not None:
        text = json.dumps(storable(value), ensure_ascii=False, allow_nan=False)
    return text
