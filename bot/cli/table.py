"""The generated command table, and the commands that the command line answers itself.

Read at every cold start: only what is needed is imported, and nothing but the standard library.
"""

import json
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from bot.errors import UsageError

Entry = dict[str, Any]
"""One command: name, also, summary, details, usage, roles, effect, confirm, parameters."""


class Own(NamedTuple):
    """A command that needs no daemon, or that is about the daemon itself; ``choices`` are its first word."""

    name: str
    usage: str
    summary: str
    flags: tuple[tuple[str, str], ...] = ()
    choices: tuple[str, ...] = ()


OWN = (
    Own(
        "up",
        "up [--detach] [--with-homeserver]",
        "Start the daemon; it runs here until Ctrl-C.",
        (
            ("--detach", "start it in the background and return when it is ready"),
            ("--with-homeserver", "also run a local Matrix homeserver to try with"),
        ),
    ),
    Own("status", "status", "Show how the daemon and its parts are."),
    Own(
        "down",
        "down [--keep-agents]",
        "Stop the daemon and the agents.",
        (("--keep-agents", "leave the agents running; the next start adopts them"),),
    ),
    Own("restart", "restart", "Stop the daemon, leave the agents running, start it again."),
    Own(
        "chat",
        "chat [--down-on-exit]",
        "Open the operator's console.",
        (("--down-on-exit", "stop daemon and agents when the console is left"),),
    ),
    Own(
        "logs",
        "logs [--follow]",
        "Show the daemon's log.",
        (("--follow", "go on showing what is added"),),
    ),
    Own(
        "screen",
        "screen --runtime R FILE [--meta FILE]",
        "Say how a captured pane is read (a screen that was read wrongly).",
        (("--runtime", "whose screen it is"), ("--meta", "what tmux said of the pane")),
    ),
    Own(
        "fleet init",
        "fleet init [--profile ID] [--connector KIND] …",
        "Write a fleet to begin with; in a terminal it asks for what the flags do not say.",
        (
            ("--profile", "what to run: demo, or a profile such as software-delivery"),
            ("--runtime", "the agent program: claude, codex, opencode, pi, gemini, dogfood …"),
            ("--connector", "where people talk to it: tmux, matrix or discord"),
            ("--homeserver-url", "of Matrix, with --user-id and --room-id"),
            ("--user-id", "the bot's own account on Matrix"),
            ("--room-id", "the room where it is talked to"),
            ("--guild-id", "of Discord, with --channel-id"),
            ("--channel-id", "the channel where it is talked to"),
            ("--working-directory", "where agents work that say nothing else"),
            ("--operators", "ids of people who may run everything, divided by commas"),
            ("--add", "keep the roster that is there and add what is missing"),
            ("--force", "replace the roster that is there"),
            ("--dry-run", "show what would be written, and write nothing"),
        ),
    ),
    Own(
        "connector discord",
        "connector discord [--guild-id G] [--channel-id C] [--cards-channel-id C] [--token-file FILE]"
        " [--operators ID,ID] [--check]",
        "Lead a bot into a channel on Discord, and test that it can work there.",
        (
            ("--guild-id", "the server, where the bot is in more than one"),
            ("--channel-id", "the channel where it is talked to"),
            ("--cards-channel-id", "the text channel or forum where cards get their threads"),
            ("--token-file", "a file with the bot's token; in a terminal it is asked for"),
            ("--operators", "Discord ids of people who may run everything, divided by commas"),
            ("--check", "look and test, and write nothing"),
        ),
    ),
    Own("doctor", "doctor", "Check this machine and this home, and say what to do."),
    Own(
        "completion",
        "completion bash|zsh|fish",
        "Print the completion script of a shell.",
        (),
        ("bash", "zsh", "fish"),
    ),
    Own("help", "help [COMMAND]", "List all commands, or explain one."),
)

GLOBAL_FLAGS = (
    ("--json", "print one JSON document"),
    ("--yes", "confirm what asks for it"),
    ("--home", "use the installation in this directory instead of MOSAIC_HOME"),
    ("--help", "explain the command"),
    ("--version", "print the version"),
)


class Table:
    """The commands of the daemon, by every spelling."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.spellings = {
            tuple(name.split()): entry
            for entry in entries
            for name in (entry["name"], *entry["also"])
        }

    def find(self, words: Sequence[str]) -> tuple[Entry, int] | None:
        """Return the command with the longest name that the words begin with, and that name's length."""
        for length in range(min(4, len(words)), 0, -1):
            entry = self.spellings.get(tuple(word.lower() for word in words[:length]))
            if entry is not None:
                return entry, length
        return None

    def below(self, words: Sequence[str]) -> list[tuple[str, Entry]]:
        """Return the commands whose names begin with the words and go on, under the spelling asked for."""
        start = tuple(word.lower() for word in words)
        return sorted(
            (" ".join(spelling), entry)
            for spelling, entry in self.spellings.items()
            if spelling[: len(start)] == start and len(spelling) > len(start)
        )

    def nearest(self, words: Sequence[str]) -> str | None:
        """Return the name that was probably meant."""
        from difflib import get_close_matches

        names = [" ".join(spelling) for spelling in self.spellings] + [own.name for own in OWN]
        for length in (3, 2, 1):
            said = " ".join(words[:length]).lower()[:64]
            if close := get_close_matches(said, names, n=1, cutoff=0.7):
                return close[0]
        return None

    def unknown(self, words: Sequence[str]) -> UsageError:
        """Return the refusal of words that begin with no command."""
        nearest = self.nearest(words)
        meant = f"; did you mean `mosaic {nearest}`?" if nearest else ""
        return UsageError(
            f"there is no command {' '.join(words[:3])[:80]!r}{meant}",
            code="unknown_command",
            hint="`mosaic --help` lists what there is",
        )


def own_command(*words: str) -> Own | None:
    """Return the command that the command line answers itself whose name the words begin with."""
    said = [word.lower() for word in words]
    return next((own for own in OWN if own.name.split() == said[: len(own.name.split())]), None)


def read_table() -> Table:
    """Return the table that ships with the package."""
    path = os.path.join(os.path.dirname(__file__), "command_table.json")
    with open(path, encoding="utf-8") as file:
        return Table(json.load(file)["commands"])
