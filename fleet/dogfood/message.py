"""What a dogfood agent understands of a message: who wrote, what about, and whether it is work on a card."""

import re
from dataclasses import dataclass

_HEADER = re.compile(
    r"\[from (?P<sender>[^\n]*) → to [^\n]* \| class (?P<tag>[^\n]*) \| id (?P<id>\S+)\]"
)
_AGENT = re.compile(
    r"(?P<host>(?!(?:local|matrix|discord):)[A-Za-z0-9][\w.-]*):(?P<name>[A-Za-z0-9][\w-]*)"
)
# Not one character more: what stands in the line becomes arguments of a program.
_COMPLETE = re.compile(
    r"[ \t]*mosaic backlog complete"
    r" --id (?P<card>[A-Za-z0-9][A-Za-z0-9._-]{0,63})"
    r" --token (?P<token>[A-Za-z0-9][A-Za-z0-9_-]{0,127})[ \t]*"
)
_FILE = re.compile(r"\* (?P<path>/.*) \([^()]*\)")


@dataclass(frozen=True, slots=True)
class Errand:
    """Work on a card: its id, and the token of the claim under which it is done."""

    card: str
    token: str


def errand_of(text: str) -> Errand | None:
    """Return the work that a message of class ``card`` hands out.

    None for other messages, and when it says how to complete none, or more than one.
    """
    header = _HEADER.match(text)
    if header is None or header["tag"] != "card":
        return None
    lines = [found for line in body_of(text) if (found := _COMPLETE.fullmatch(line))]
    if len(lines) != 1:
        return None
    return Errand(lines[0]["card"], lines[0]["token"])


def sender_of(text: str) -> str:
    """Return who wrote a message and what about, as it is shown."""
    found = _HEADER.match(text)
    return "typed here" if found is None else f"{found['sender']} · {found['tag']}"


def peer_of(text: str) -> tuple[str, str] | None:
    """Return host and name of the agent that wrote a message, None when it was somebody else."""
    header = _HEADER.match(text)
    found = header and _AGENT.fullmatch(header["sender"])
    return (found["host"], found["name"]) if found else None


def files_of(text: str) -> tuple[str, list[str]]:
    """Return the id of a message, and the paths of the files that came with it."""
    header = _HEADER.match(text)
    lines = body_of(text)
    if header is None or "Files:" not in lines:
        return "", []
    last = len(lines) - lines[::-1].index("Files:")
    found = (_FILE.fullmatch(line) for line in lines[last:])
    return header["id"], [one["path"] for one in found if one is not None]


def body_of(text: str) -> list[str]:
    """Return a message's lines without header and end mark."""
    lines = text.split("\n")
    found = _HEADER.match(text)
    if found is not None:
        lines = lines[1:]
        if lines and lines[-1] == f"[end {found['id']}]":
            lines.pop()
    return lines


def first_line(text: str) -> str:
    """Return the body's first line that says something, at most 80 characters of it."""
    line = next((line.strip() for line in body_of(text) if line.strip()), "")
    return "".join(c for c in line if c.isprintable())[:80]
