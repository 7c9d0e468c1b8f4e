"""Three texts: a person's, the baseline it was made from, and the baseline of today."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, unified_diff

from bot.agents.personas import Collision

Lines = Sequence[str]


@dataclass(frozen=True, slots=True)
class _Change:
    """Lines ``start`` to ``end`` of the baseline became ``lines``."""

    start: int
    end: int
    lines: Lines


def bring(theirs: str, then: str, now: str) -> tuple[str, tuple[Collision, ...]]:
    """Return a person's text with what changed from ``then`` to ``now``, and where both changed the same lines.

    Where both did, alike or beside each other, the person's lines stay; what is otherwise in ours is a collision.
    """
    base = then.splitlines(keepends=True)
    own, ours = _changes(base, theirs), _changes(base, now)
    brought: list[str] = []
    collisions: list[Collision] = []
    at, line = 0, 1
    for start, end, left, right in _groups(own, ours):
        mine, other = _applied(base, left, start, end), _applied(base, right, start, end)
        brought += [*base[at:start], *(mine if left else other)]
        line += start - at
        if left and right and mine != other:
            collisions.append(Collision(line, "".join(mine), "".join(other)))
        line += len(mine)
        at = end
    return "".join((*brought, *base[at:])), tuple(collisions)


def unified(before: str, after: str, names: tuple[str, str]) -> str:
    """Return a unified diff, nothing when both are the same."""
    lines = unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), *names, n=2
    )
    # As diff(1) has it, so that a last line without an end does not run into the next.
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _changes(base: Lines, text: str) -> list[_Change]:
    after = text.splitlines(keepends=True)
    matcher = SequenceMatcher(None, base, after, autojunk=False)
    return [
        _Change(start, end, after[first:last])
        for tag, start, end, first, last in matcher.get_opcodes()
        if tag != "equal"
    ]


def _groups(
    own: list[_Change], ours: list[_Change]
) -> Iterator[tuple[int, int, list[_Change], list[_Change]]]:
    """Yield the stretches of the baseline that were changed: where changes of both touch, as one."""
    marked = sorted(
        [(one.start, one.end, True, one) for one in own]
        + [(one.start, one.end, False, one) for one in ours],
        key=lambda mark: mark[:3],
    )
    while marked:
        start, end, *_ = marked[0]
        sides: tuple[list[_Change], list[_Change]] = ([], [])
        while marked and marked[0][0] <= end:
            _, last, is_own, change = marked.pop(0)
            end = max(end, last)
            sides[0 if is_own else 1].append(change)
        yield start, end, *sides


def _applied(base: Lines, changes: list[_Change], start: int, end: int) -> list[str]:
    lines: list[str] = []
    at = start
    for change in changes:
        lines += [*base[at : change.start], *change.lines]
        at = change.end
    return [*lines, *base[at:end]]
