"""The help texts of the command line, from the command table."""

from itertools import groupby
from typing import Any

from bot.cli.table import GLOBAL_FLAGS, OWN, Entry, Own, Table

_WIDTH = 30


def overview(table: Table) -> str:
    """Return what `mosaic --help` prints."""
    lines = ["usage: mosaic COMMAND [ARGUMENTS] [--json] [--yes] [--home DIR]", "", "The daemon:"]
    lines += [_line(own.name, own.summary) for own in OWN]
    named = [entry for entry in table.entries if entry["name"] not in {own.name for own in OWN}]
    named.sort(key=lambda entry: _topic(entry["name"]))
    for topic, entries in groupby(named, key=lambda entry: _topic(entry["name"])):
        lines += ["", f"{topic.capitalize() or 'About the conversation'}:"]
        lines += [_line(entry["name"], entry["summary"]) for entry in entries]
    return "\n".join([*lines, "", "Everywhere:", *_flag_lines(GLOBAL_FLAGS)])


def group_text(table: Table, words: list[str]) -> str:
    """Return the commands that begin with these words."""
    lines = [f"usage: mosaic {' '.join(words)} …", ""]
    said = [word.lower() for word in words]
    lines += [_line(own.name, own.summary) for own in OWN if own.name.split()[:-1] == said]
    lines += [_line(name, entry["summary"]) for name, entry in table.below(words)]
    return "\n".join(lines)


def entry_text(entry: Entry) -> str:
    """Return the help of one command of the daemon."""
    lines = [f"usage: mosaic {entry['usage']}", "", entry["summary"]]
    if entry["details"]:
        lines += ["", entry["details"]]
    if entry["parameters"]:
        lines += ["", "Arguments:", *(_parameter_line(found) for found in entry["parameters"])]
    lines += ["", f"For {', '.join(role + 's' for role in entry['roles'])}."]
    if entry["also"]:
        lines.append(f"Also: {', '.join('mosaic ' + name for name in entry['also'])}")
    if entry["confirm"]:
        lines.append(f"Asks first: {entry['confirm']}")
    return "\n".join(lines)


def own_text(own: Own) -> str:
    """Return the help of a command that the command line answers itself."""
    lines = [f"usage: mosaic {own.usage}", "", own.summary]
    if own.flags:
        lines += ["", "Arguments:", *_flag_lines(own.flags)]
    return "\n".join(lines)


def _topic(name: str) -> str:
    topic, _, rest = name.partition(" ")
    return topic if rest else ""


def _line(name: str, summary: str) -> str:
    gap = " " * max(2, _WIDTH - 2 - len(name))
    return f"  {name}{gap}{summary}"


def _flag_lines(flags: tuple[tuple[str, str], ...]) -> list[str]:
    return [_line(flag, what) for flag, what in flags]


def _parameter_line(parameter: dict[str, Any]) -> str:
    facts = [parameter["help"]] if parameter["help"] else []
    if parameter["allowed"]:
        facts.append(parameter["allowed"])
    if parameter["required"]:
        facts.append("required")
    elif parameter["default"]:
        facts.append(f"default {parameter['default']}")
    return _line(parameter["written"], "; ".join(facts))
