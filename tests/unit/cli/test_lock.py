"""One daemon per home: the kernel's lock counts, a dead daemon's file does not."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import UserError
from bot.lock import DaemonLock, holder, is_alive, read_pid


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "daemon.lock"


def test_the_holder_stands_in_the_file_and_is_named_to_the_second(path: Path) -> None:
    first = DaemonLock(path)
    first.acquire()
    assert read_pid(path) == holder(path) == os.getpid()
    with pytest.raises(UserError, match=f"pid {os.getpid()}") as refused:
        DaemonLock(path).acquire()
    assert refused.value.code == "already_running"
    first.release()


def test_a_released_lock_leaves_no_file_and_can_be_taken_again(path: Path) -> None:
    for _ in range(2):
        lock = DaemonLock(path)
        lock.acquire()
        lock.release()
        lock.release()
        assert not path.exists()
        assert holder(path) is None


@pytest.mark.parametrize("text", ["1\n", "999999999\n", "", "no number"])
def test_a_dead_daemons_file_holds_nobody_up(path: Path, text: str) -> None:
    path.write_text(text)
    assert holder(path) is None
    lock = DaemonLock(path)
    lock.acquire()
    assert read_pid(path) == os.getpid()
    lock.release()


HOLDER = """
import sys
from pathlib import Path
from bot.lock import DaemonLock
DaemonLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_killed_holder_holds_nothing(path: Path) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert holder(path) == process.pid
        process.kill()
    assert path.exists()
    assert holder(path) is None


FORKER = """
import fcntl, os, subprocess, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
os.write(descriptor, f"{os.getpid()}\\n".encode())
subprocess.Popen(["cat"], pass_fds=[descriptor], stdout=subprocess.DEVNULL)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def outlived(path: Path) -> Iterator[Any]:
    """A lock that a child of its killed holder still has, until the input that this gives is closed."""
    reading, writing = os.pipe()
    command = [sys.executable, "-c", FORKER, str(path)]
    with subprocess.Popen(command, stdin=reading, stdout=subprocess.PIPE) as process:
        os.close(reading)
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        process.send_signal(signal.SIGKILL)
    with contextlib.closing(os.fdopen(writing, "wb")) as child:
        yield child


def test_a_lock_that_a_childs_beginning_holds_is_waited_out(
    path: Path, outlived: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _at_the_first_pause(monkeypatch, outlived.close)
    assert holder(path) is None
    assert outlived.closed, "it was looked at more than once"


def test_a_new_daemon_waits_for_the_end_of_the_one_before(
    path: Path, outlived: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _at_the_first_pause(monkeypatch, outlived.close)
    lock = DaemonLock(path)
    lock.acquire()
    assert outlived.closed
    assert holder(path) == os.getpid()
    lock.release()


@pytest.mark.usefixtures("outlived")
def test_who_keeps_the_lock_for_good_is_named_though_nobody_sees_him(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.lock._DYING_SECONDS", 0.05)  # as in a container beside ours
    dead = read_pid(path)
    assert dead is not None
    assert not is_alive(dead)
    assert holder(path) == dead
    with pytest.raises(UserError, match=f"pid {dead}"):
        DaemonLock(path).acquire()


def _at_the_first_pause(monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    pause = time.sleep

    def first(seconds: float) -> None:
        act()
        pause(seconds)

    monkeypatch.setattr("bot.lock.time.sleep", first)
