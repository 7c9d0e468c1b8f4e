"""What else must stay quick over a million cards: the first page, a completion with many dependents, the socket."""

import asyncio
import json
import re
import socket
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from bot.backlog.cards import CardFilter
from bot.model import Caller, Principal, Via
from storage.backlog.backlog import postgres_backlog
from storage.database import Database, Target
from tests.stages.installation import Installation

_BY = Caller(Principal("local:0", "bench"), Via.CLI)
_DEPENDENTS = 1000
_CONNECTIONS = 8
_CLAIMS = 1_600
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


async def first_page(target: Target) -> float:
    """Return the median milliseconds of ``list --ready-only --limit 50``."""
    database = Database()
    await database.open(target)
    shelf = postgres_backlog(database).shelf
    wanted = CardFilter(ready_only=True)
    spent = await _median(lambda: shelf.list(wanted, limit=50))
    await database.close()
    return spent


async def completion(target: Target) -> float:
    """Return the median milliseconds of completing a card on which a thousand others wait."""
    database = Database()
    await database.open(target)
    claims = postgres_backlog(database).claims
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO card (id, title) SELECT 'TOP' || n, 't' FROM generate_series(1, 20) AS n"
        )
        await connection.execute(
            "INSERT INTO card (id, title, unmet_deps) SELECT 'LEAF' || n, 't', 20"
            f" FROM generate_series(1, {_DEPENDENTS}) AS n"
        )
        await connection.execute(
            "INSERT INTO card_edge (card_id, needs_id) SELECT 'LEAF' || l, 'TOP' || t"
            f" FROM generate_series(1, {_DEPENDENTS}) AS l, generate_series(1, 20) AS t"
        )
        await connection.execute("ANALYZE card_edge")
    numbers = iter(range(1, 21))
    spent = await _median(lambda: claims.complete(f"TOP{next(numbers)}", None, _BY))
    await database.close()
    return spent


async def _median(asked: Callable[[], Awaitable[object]], times: int = 20) -> float:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        await asked()
        spent.append((time.perf_counter() - began) * 1000)
    return statistics.median(spent)


async def socket_and_direct() -> tuple[float, float]:
    """Return claims a second through a daemon's socket, and by the same store in this process without one.

    Both by eight connections of one process, on the same database.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        installation = Installation(Path(directory) / "home", {})
        await installation.up()
        try:
            target = Target(socket_directory=installation.home / "postgres" / "run")
            database = Database(size=_CONNECTIONS)
            await database.open(target)
            rates: dict[str, list[float]] = {"socket": [], "direct": []}
            for _ in range(3):
                await _refill(database)
                rates["direct"].append(await _direct(database))
                await _refill(database)
                rates["socket"].append(
                    await asyncio.to_thread(_by_socket, installation.home / "run" / "api.sock")
                )
            await database.close()
        finally:
            await installation.close()
    return statistics.median(rates["socket"]), statistics.median(rates["direct"])


async def _refill(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("DELETE FROM card")
        await connection.execute(
            f"INSERT INTO card (id, title) SELECT 'C' || n, 't' FROM generate_series(1, {_CLAIMS}) AS n"
        )
        await connection.execute("ANALYZE card")


async def _direct(database: Database) -> float:
    claims = postgres_backlog(database).claims
    left = iter(range(_CLAIMS))

    async def work() -> None:
        for _ in left:
            assert await claims.claim("w", timedelta(minutes=15), None, _BY) is not None

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(_CONNECTIONS)))
    return _CLAIMS / (time.perf_counter() - began)


def _by_socket(path: Path) -> float:
    """Claim over eight connections, each kept open; the client does as little as a client can."""
    words = ["backlog", "claim", "--owner", "w"]
    request = _request(json.dumps({"words": words, "confirmed": False}).encode())

    def work(times: int) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(str(path))
            for _ in range(times):
                line.sendall(request)
                answer = _answer(line)
                assert b'"claim_owner": "w"' in answer, answer

    began = time.perf_counter()
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        list(pool.map(work, [_CLAIMS // _CONNECTIONS] * _CONNECTIONS))
    return _CLAIMS / (time.perf_counter() - began)


def answer_body(path: Path, body: bytes) -> bytes:
    """Return what the daemon answers to one command over a connection of its own."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(str(path))
        line.sendall(_request(body))
        return _answer(line)


def _request(body: bytes) -> bytes:
    head = b"POST /v1/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


def _answer(line: socket.socket) -> bytes:
    """Return the body of one answer, read to its length."""
    read = b""
    while b"\r\n\r\n" not in read:
        read += line.recv(65536)
    head, _, body = read.partition(b"\r\n\r\n")
    found = _LENGTH.search(head)
    assert found is not None, head
    while len(body) < int(found[1]):
        body += line.recv(65536)
    return body
