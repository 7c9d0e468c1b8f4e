"""How the daemon is, for people to read: the same in a room and on the command line."""

from collections.abc import Mapping
from typing import Any

from bot.part_status import PartStatus
from bot.reply import Block, Fields, Table

MARKS = {"ok": "✔", "retrying": "↻", "stopped": "✘", "safe-mode": "!"}
"""A mark per state of a part."""


def status_blocks(known: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return what ``mosaic status --json`` says as blocks."""
    pairs = [
        ("state", str(known.get("state"))),
        ("pid", str(known.get("pid"))),
        ("version", str(known.get("version"))),
        ("host", str(known.get("host"))),
        ("up for", duration_text(float(known.get("uptime_seconds") or 0))),
    ]
    if paused := known.get("paused"):
        pairs.append(("paused", _paused_text(paused)))
    rows = tuple(
        (name, str(part["state"]), str(part["detail"]))
        for name, part in known.get("parts", {}).items()
    )
    return Fields(tuple(pairs)), Table(("part", "state", "detail"), rows)


def part_line(name: str, part: Mapping[str, Any]) -> str:
    """Return one part's state as one line."""
    mark = MARKS.get(str(part["state"]), "?")
    return f"{mark} {name:<16} {part['state']:<9} {part['detail']}".rstrip()


def part_data(status: PartStatus) -> dict[str, str]:
    """Return a part's state as ``mosaic status --json`` says it."""
    since = status.since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"state": str(status.state), "detail": status.detail, "since": since}


def _paused_text(paused: Mapping[str, Any]) -> str:
    since = str(paused["since"])[:16].replace("T", " ")
    said = f"by {paused.get('name') or paused['by']} since {since} UTC"
    reason = paused["reason"] or "no reason given"
    return f"{said}: {reason}; freeze" if paused.get("freeze") else f"{said}: {reason}"


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units."""
    days, rest = divmod(int(seconds), 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    shown = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    while len(shown) > 1 and not shown[0][0]:
        shown.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in shown[:2])
