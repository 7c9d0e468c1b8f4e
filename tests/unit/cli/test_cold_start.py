"""The command line starts cold: for help and completion it imports nothing but the standard library."""

import json
import subprocess
import sys

import pytest

PROBE = """
import sys
before = set(sys.modules)
import contextlib, io, json
from bot.cli.main import main
with contextlib.redirect_stdout(io.StringIO()):
    status = main(json.loads(sys.argv[1]))
print(json.dumps([status, sorted({name.partition(".")[0] for name in set(sys.modules) - before})]))
"""
SLOW = {"asyncio", "difflib", "email", "http", "inspect", "logging", "ssl", "subprocess"}
"""Parts of the standard library that cost more than the rest of a cold start."""


def imported(*words: str) -> tuple[int, set[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(words)], capture_output=True, text=True, check=True
    )
    status, names = json.loads(done.stdout)
    return status, set(names)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["backlog", "--help"], ["help", "backlog", "create"], ["__complete", "bash", ""]],
)
def test_help_and_completion_import_the_standard_library_only(words: list[str]) -> None:
    status, names = imported(*words)
    assert status == 0
    assert names - sys.stdlib_module_names == {"bot"}
    assert names & SLOW == set()


@pytest.mark.parametrize("words", [["status"], ["backlog", "list"], ["down"]])
def test_a_call_to_the_daemon_imports_the_standard_library_only(words: list[str]) -> None:
    status, names = imported(*words, "--home", "/nonexistent/home")
    assert status == 3
    assert names - sys.stdlib_module_names == {"bot"}
