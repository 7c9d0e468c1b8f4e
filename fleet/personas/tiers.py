"""Which program and model an agent gets for the tier of its persona: small, medium or large."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from bot.errors import UserError
from fleet.personas.contracts import Tier
from fleet.roster.document import RuntimeName

AGENT_PROGRAMS: tuple[str, ...] = ("claude", "codex", "opencode", "pi", "gemini")
"""Programs that are looked for, in the order in which they are taken."""

_OWN_WORDS: Mapping[str, Mapping[str, str]] = {
    "claude": {"small": "haiku", "medium": "sonnet", "large": "opus"},
}
"""Names that a program itself keeps for its models of each size; the others begin with the model that they are set to."""

_SAID = re.compile(r"^(?P<runtime>[a-z]+)(?::(?P<model>\S.*))?$")


@dataclass(frozen=True, slots=True)
class Choice:
    """A program and a model in its words; ``model_hint`` is None for the program's own default."""

    runtime: str
    model_hint: str | None

    def __str__(self) -> str:
        return self.runtime if self.model_hint is None else f"{self.runtime} {self.model_hint}"


@dataclass(frozen=True, slots=True)
class Models:
    """What each tier means here. ``said`` maps tiers to ``RUNTIME`` or ``RUNTIME:MODEL``; ``path`` is where programs lie."""

    said: Mapping[str, str]
    path: str | None = None

    def choices(self, runtime: str | None = None) -> Mapping[str, Choice]:
        """Return the choice for every tier; ``runtime`` is one program for all of them.

        UserError for a program that there is not.
        """
        if runtime is not None and runtime not in get_args(RuntimeName):
            known = ", ".join(get_args(RuntimeName))
            raise UserError(f"runtime: {runtime!r} is not allowed; allowed: {known}")
        fallback = runtime or next(iter(self.installed()), "dogfood")
        return {tier: self._choice(tier, runtime, fallback) for tier in get_args(Tier)}

    def installed(self) -> tuple[str, ...]:
        """Return the agent programs that are on the path."""
        return tuple(one for one in AGENT_PROGRAMS if shutil.which(one, path=self.path))

    def _choice(self, tier: str, runtime: str | None, fallback: str) -> Choice:
        said = read_choice(self.said[tier]) if self.said.get(tier) else None
        if said is not None and runtime in {None, said.runtime}:
            return said
        return Choice(fallback, _OWN_WORDS.get(fallback, {}).get(tier))


def read_choice(text: str) -> Choice:
    """Read ``RUNTIME`` or ``RUNTIME:MODEL``; UserError for a runtime that there is not."""
    found = _SAID.match(text)
    if found is None or found["runtime"] not in get_args(RuntimeName):
        known = ", ".join(get_args(RuntimeName))
        raise UserError(f"{text!r} is not RUNTIME or RUNTIME:MODEL; runtimes: {known}")
    return Choice(found["runtime"], found["model"])
