"""The embedded server: private, one owner, adopted after a crash of its owner, gone after a clean stop."""

import asyncio
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from bot.errors import SetupError, TransientError
from storage.database import Target
from storage.server.binaries import Binaries
from storage.server.embedded import EmbeddedServer
from storage.server.postmaster import is_postmaster
from tests.stages.postgres import is_running, names_in
from tests.waiting import until


async def ask(target: Target, question: str) -> object:
    connection = await asyncpg.connect(**target.arguments())
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def environment_of(pid: int) -> set[bytes]:
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return {entry.partition(b"=")[0] for entry in entries if entry}


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of the database's business."""
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


async def test_a_first_start_makes_a_private_server(blank: Path) -> None:
    server = EmbeddedServer(blank)
    started = await server.start()
    assert str(started).startswith("embedded PostgreSQL 18.")
    assert "first start" in str(started)
    assert await ask(started.target, "SHOW listen_addresses") == ""
    for directory in (blank, blank / "run", blank / "cluster"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    await server.stop()


async def test_the_server_sees_nothing_of_our_environment(own_server: EmbeddedServer) -> None:
    await own_server.start()
    assert own_server.pid is not None
    assert environment_of(own_server.pid) == {b"PATH", b"LC_ALL", b"TZ"}


async def test_a_clean_stop_leaves_no_process_socket_or_lock(
    own_server: EmbeddedServer, data: Path
) -> None:
    await own_server.start()
    pid = own_server.pid
    assert pid is not None
    await own_server.stop()
    assert not is_running(pid)
    assert names_in(data) == ["cluster", "server.log"]
    assert not (data / "cluster" / "postmaster.pid").exists()


async def test_a_second_owner_is_refused_by_name(own_server: EmbeddedServer, data: Path) -> None:
    started = await own_server.start()
    second = EmbeddedServer(data)
    with pytest.raises(TransientError, match=f"belongs to process {os.getpid()} already"):
        await second.start()
    await second.stop()
    assert await ask(started.target, "SELECT 1") == 1


async def test_a_server_that_outlived_its_owner_is_adopted(
    own_server: EmbeddedServer, data: Path
) -> None:
    await own_server.start()
    pid = own_server.pid
    own_server.abandon()
    heir = EmbeddedServer(data)
    started = await heir.start()
    assert (heir.pid, "adopted" in str(started)) == (pid, True)
    await heir.stop()
    assert pid is not None
    assert not is_postmaster(pid, data / "cluster")
    assert not (data / "run").exists()


async def test_a_server_whose_pid_file_is_lost_is_adopted(
    own_server: EmbeddedServer, data: Path
) -> None:
    await own_server.start()
    own_server.abandon()
    (data / "cluster" / "postmaster.pid").unlink()
    heir = EmbeddedServer(data)
    assert "adopted" in str(await heir.start())
    await heir.stop()


async def test_a_server_that_is_going_down_is_waited_for(
    own_server: EmbeddedServer, data: Path
) -> None:
    started = await own_server.start()
    connection = await asyncpg.connect(**started.target.arguments())
    assert own_server.pid is not None
    os.kill(own_server.pid, 15)  # smart: it goes once its last client does
    own_server.abandon()
    heir = EmbeddedServer(data)
    start = asyncio.create_task(heir.start())
    await until((data / "owner.lock").exists, what="the heir owns the data")
    await connection.close()
    assert "warm start" in str(await start)
    await heir.stop()


async def test_a_stale_pid_file_with_a_reused_pid_harms_nobody(
    own_server: EmbeddedServer, data: Path, stranger: subprocess.Popen[bytes]
) -> None:
    noted = f"{stranger.pid}\n{data / 'cluster'}\n1\n5432\n{data / 'run'}\n\n1 1\nready\n"
    (data / "cluster" / "postmaster.pid").write_text(noted)
    (data / "run").mkdir(mode=0o700)
    (data / "run" / ".s.PGSQL.5432.lock").write_text(noted)
    started = await own_server.start()
    assert await ask(started.target, "SELECT 1") == 1
    await own_server.stop()
    assert stranger.poll() is None


async def test_what_a_killed_server_left_is_recovered(own_server: EmbeddedServer) -> None:
    started = await own_server.start()
    await ask(started.target, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert own_server.pid is not None
    os.kill(own_server.pid, 9)
    await own_server.died()
    again = await own_server.start()
    assert await ask(again.target, "SELECT answer FROM kept") == 42


async def test_an_interrupted_first_start_is_made_anew(blank: Path) -> None:
    (blank / "new-abc").mkdir(parents=True)
    (blank / "new-abc" / "PG_VERSION").write_text("18\n")
    server = EmbeddedServer(blank)
    await server.start()
    await server.stop()
    assert not (blank / "new-abc").exists()


async def test_a_cancelled_start_leaves_nothing(own_server: EmbeddedServer, data: Path) -> None:
    start = asyncio.create_task(own_server.start())
    await until(lambda: own_server.pid is not None, what="the server process is there")
    pid = own_server.pid
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await own_server.stop()
    assert pid is not None
    assert not is_running(pid)
    assert not (data / "owner.lock").exists()


async def test_the_log_says_what_happened_and_does_not_grow_for_ever(
    own_server: EmbeddedServer, data: Path
) -> None:
    (data / "server.log").write_bytes(b"x" * 6_000_000)
    await own_server.start()
    assert (data / "server.log.1").stat().st_size == 6_000_000
    assert (data / "server.log").stat().st_size < 100_000


def program(directory: Path, name: str, script: str) -> Binaries:
    (directory / name).write_text(f"#!/bin/sh\n{script}\n")
    (directory / name).chmod(0o755)
    return Binaries(directory, as_root=False)


async def test_refused_user_namespaces_name_the_way_out(blank: Path, tmp_path: Path) -> None:
    words = "unshare: unshare failed: Operation not permitted"
    server = EmbeddedServer(
        blank, binaries=program(tmp_path, "initdb", f"echo '{words}' >&2; exit 1")
    )
    with pytest.raises(SetupError, match="refuses user namespaces") as refusal:
        await server.start()
    assert "DATABASE_URL" in str(refusal.value.hint)
    await server.stop()


async def test_a_server_that_cannot_run_says_why(data: Path, tmp_path: Path) -> None:
    script = "echo 'FATAL:  database files are incompatible with server' >&2; echo more; exit 1"
    server = EmbeddedServer(data, binaries=program(tmp_path, "postgres", script))
    with pytest.raises(SetupError, match="postgres cannot run here: FATAL:  database files are"):
        await server.start()
    await server.stop()
    assert names_in(data) == ["cluster", "server.log"]


async def test_missing_programs_are_a_setup_error(data: Path, tmp_path: Path) -> None:
    server = EmbeddedServer(data, binaries=Binaries(tmp_path, as_root=False))
    with pytest.raises(SetupError, match="PostgreSQL cannot be run"):
        await server.start()
    await server.stop()
