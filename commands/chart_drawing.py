"""Draws an org chart: as a tree of lines, and in Mermaid's language."""

from collections.abc import Iterator, Sequence

from bot.agents.provisioning import Chair
from commands.graph_drawing import label

_NOBODY = "Nobody is in it."


def chart_tree(chairs: Sequence[Chair]) -> str:
    """Return lines: below each agent stand those that report to it; whoever reports to nobody begins a tree."""
    return "\n".join(line for root in _roots(chairs) for line in _lines(root, chairs)) or _NOBODY


def chart_mermaid(chairs: Sequence[Chair]) -> str:
    """Return a flowchart: an arrow leads from a superior to whoever reports to it; the new ones are marked."""
    names = {chair.name: f"a{number}" for number, chair in enumerate(chairs)}
    lines = ["flowchart TD"]
    for chair in chairs:
        look = ":::new" if chair.note == "new" else ""
        lines.append(f'    {names[chair.name]}["{label(_said(chair))}"]{look}')
    lines += [
        f"    {names[chair.reports_to]} --> {names[chair.name]}"
        for chair in chairs
        if chair.reports_to in names
    ]
    if any(chair.note == "new" for chair in chairs):
        lines.append("    classDef new fill:#d7f5dd,stroke:#2b8a3e,color:#111")
    return "\n".join(lines) + "\n"


def _roots(chairs: Sequence[Chair]) -> list[Chair]:
    names = {chair.name for chair in chairs}
    return [chair for chair in chairs if chair.reports_to not in names]


def _lines(root: Chair, chairs: Sequence[Chair]) -> Iterator[str]:
    """Yield a tree's lines without recursion: a file may describe a long line of command."""
    yield _said(root)
    pending = _below(root, chairs, "")
    while pending:
        margin, chair, last = pending.pop()
        yield f"{margin}{'└─' if last else '├─'} {_said(chair)}"
        pending += _below(chair, chairs, margin + ("   " if last else "│  "))


def _below(superior: Chair, chairs: Sequence[Chair], margin: str) -> list[tuple[str, Chair, bool]]:
    """Return who reports to somebody, the last first: the list is taken from its end."""
    found = [chair for chair in chairs if chair.reports_to == superior.name]
    return [(margin, chair, chair is found[-1]) for chair in reversed(found)]


def _said(chair: Chair) -> str:
    """Return an agent in one line: its name, its class when that is another word, its program, its news."""
    facts = [] if chair.agent_class == chair.name else [chair.agent_class]
    if chair.runtime is not None:
        facts.append(" ".join(filter(None, (chair.runtime, chair.model_hint))))
    elif chair.model_tier is not None:
        facts.append(chair.model_tier)
    if chair.note:
        facts.append(chair.note)
    return chair.name + (f"  ({', '.join(facts)})" if facts else "")
