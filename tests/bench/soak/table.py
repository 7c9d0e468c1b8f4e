"""The figures as a table, and the verdict."""

from collections.abc import Sequence

from tests.bench.soak.memory import Life
from tests.bench.soak.run import Outcome

_FLAT_MB = 10.0
_FLAT_SHARE = 0.1


def table(outcome: Outcome) -> list[str]:
    """Return lines of Markdown."""
    ours, rival = outcome.ours, outcome.rival
    ledger = (
        ("messages", "asked"),
        ("lost", "lost"),
        ("of them said in the long absence", "lost_away"),
        ("answered twice", "doubled"),
        ("answered out of their room's order", "astray"),
        ("answered with something else", "wrong"),
    )
    rows = [
        (what, f"{getattr(ours, name):,}", f"{getattr(rival, name):,}") for what, name in ledger
    ]
    effects = outcome.effects
    rows += [
        ("commands that ran twice", f"{effects.ran_twice}", "-"),
        ("answered as done, and not done", f"{effects.not_run}", "-"),
        ("named as interrupted, never run again", f"{ours.interrupted}", "-"),
        ("ended by itself", "0", f"{outcome.bots[1].fell}"),
    ]
    first, second = (bot.lives for bot in outcome.bots)
    rows += [
        ("memory at most: first life, last life", _peaks(first), _peaks(second)),
        ("memory grown in the last life, once warm", _growth(first[-1]), _growth(second[-1])),
        ("open files at the end", _files(first[-1]), _files(second[-1])),
    ]
    head = ["| | Mosaic Fleet | bot on `sync_forever` |", "|---|---:|---:|"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows)]


def verdict(outcome: Outcome) -> list[str]:
    """Return what is missed of what was asked for; nothing is good."""
    ours, effects, lives = outcome.ours, outcome.effects, outcome.bots[0].lives
    missed = []
    if ours.asked != outcome.plan.messages:
        missed.append(f"{ours.asked} of {outcome.plan.messages} messages stand in the rooms")
    if not ours.clean:
        missed.append(f"not every message was answered once and in order: {ours}")
    if effects.ran_twice or effects.not_run:
        missed.append(f"answers and backlog do not agree: {effects}")
    if lives[-1].growth > _FLAT_MB:
        missed.append(
            f"the last life grew by {lives[-1].growth:.1f} MB, at most {_FLAT_MB} are flat"
        )
    if lives[-1].peak > lives[0].peak * (1 + _FLAT_SHARE) + _FLAT_MB:
        missed.append(f"from life to life it grew: {_peaks(lives)}")
    return missed


def _peaks(lives: Sequence[Life]) -> str:
    return f"{lives[0].peak:.0f} MB, {lives[-1].peak:.0f} MB"


def _growth(life: Life) -> str:
    return f"{life.growth:+.1f} MB ({life.slope:+.2f} per 1,000 messages)"


def _files(life: Life) -> str:
    return f"{life.samples[-1].files}" if life.samples else "?"
