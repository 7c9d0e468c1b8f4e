"""One daemon per home: the kernel's lock counts, a dead daemon's file does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import UserError
from bot.lock import DaemonLock, holder, read_pid


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
