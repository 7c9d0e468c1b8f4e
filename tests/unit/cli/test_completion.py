"""Completion: what may stand at the cursor, and the scripts in real shells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli.completion import SCRIPTS, answer, candidates
from bot.cli.table import Table, read_table

TABLE = read_table()


def words(*given: str, table: Table = TABLE) -> set[str]:
    return {word for word, _ in candidates(list(given), table)}


def test_the_first_word_is_a_topic_or_one_of_our_own() -> None:
    assert {"up", "status", "backlog", "fleet", "mail", "help"} <= words("")
    assert words("ba") == {"backlog"}


def test_a_topic_goes_on_with_its_commands() -> None:
    assert {"create", "claim", "stats"} <= words("backlog", "")
    assert words("fleet", "backlog", "cl") == {"claim"}
    assert "claim" in words("help", "backlog", "")


def test_flags_come_after_a_dash_and_once() -> None:
    assert {"--id", "--title", "--json"} <= words("backlog", "create", "-")
    assert "--id" not in words("backlog", "create", "--id", "A1", "-")
    assert words("up", "--d") == {"--detach"}


def test_a_flags_value_is_one_of_its_choices() -> None:
    assert words("backlog", "list", "--status", "") == {"ready", "claimed", "blocked", "done"}
    assert words("backlog", "create", "--title", "") == set()


def test_a_directory_is_left_to_the_shell() -> None:
    assert words("--home", "") == set()
    assert "backlog" in words("--home", "/x", "")


def test_the_shells_of_completion_are_its_choices() -> None:
    assert words("completion", "") == set(SCRIPTS)


def test_zsh_and_fish_are_told_what_each_word_means() -> None:
    assert "stats:Show the backlog in numbers." in answer("zsh", ["backlog", "st"], TABLE)
    assert "stats\tShow the backlog in numbers." in answer("fish", ["backlog", "st"], TABLE)


ASKING = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-c"],
        (
            'source <(mosaic completion bash); COMP_WORDS=(mosaic backlog "cl"); COMP_CWORD=2;'
            ' COMP_LINE="mosaic backlog cl"; _mosaic; printf "%s\\n" "${COMPREPLY[@]}"'
        ),
    ),
    "zsh": (
        ["zsh", "-f", "-c"],
        (
            "autoload -Uz compinit && compinit -u -D; source <(mosaic completion zsh);"
            " _describe() { print -l $found; }; _files() { print files; };"
            " words=(mosaic backlog cl); CURRENT=3; _mosaic"
        ),
    ),
    "fish": (
        ["fish", "--no-config", "-c"],
        'mosaic completion fish | source; complete -C "mosaic backlog cl"',
    ),
}
INSTALLED = [shell for shell in ASKING if shutil.which(shell)]


@pytest.mark.parametrize("shell", INSTALLED)
def test_a_real_shell_completes_with_the_script(shell: str, tmp_path: Path) -> None:
    program = tmp_path / "mosaic"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bot "$@"\n')
    program.chmod(0o755)
    command, script = ASKING[shell]
    done = subprocess.run(
        [*command, script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)},
    )
    assert "claim" in done.stdout.split()[0]
    assert "create" not in done.stdout
    assert done.stderr == ""


def test_bash_is_always_among_the_shells_tried() -> None:
    assert "bash" in INSTALLED
