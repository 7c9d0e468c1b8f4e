"""System types: what fleets there can be, and what it would mean for this one to become one of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Chair:
    """One agent's place in an org chart. ``note`` says what people should know of it: kept, new."""

    name: str
    agent_class: str
    reports_to: str | None
    runtime: str | None = None
    model_hint: str | None = None
    model_tier: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SystemType:
    """One profile that can be used. ``budget`` are its bounds by key; ``refused`` says why a person's own is not used."""

    id: str
    title: str
    purpose: str
    lead: str
    floor: tuple[str, ...]
    chart: tuple[Chair, ...]
    budget: Mapping[str, float]
    source: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person wants of new agents: one program for all, and where they work."""

    runtime: str | None = None
    working_directory: str | None = None


@dataclass(frozen=True, slots=True)
class Provision:
    """What a profile makes of a roster: nobody who is there is changed, only what is missing is added.

    ``chart`` is the org chart afterwards, ``roster`` the text of the file. ``added`` are the new agents by a
    roster's keys, ``kept`` the names of those that were there, ``conflicts`` say in a sentence each where the
    roster says otherwise than the profile and wins. ``starts`` are whom this host would start.
    """

    system_type: SystemType
    chart: tuple[Chair, ...]
    roster: str
    added: tuple[Mapping[str, Any], ...]
    kept: tuple[str, ...]
    conflicts: tuple[str, ...]
    starts: tuple[str, ...]
    models: Mapping[str, str]


class Provisioning(Protocol):
    """Profiles over this installation's roster.

    An unknown profile, and one whose only file cannot be used, is a UserError with what there is or its line.
    """

    def types(self) -> Sequence[SystemType]:
        """Return every system type by id."""
        ...

    def type(self, profile: str) -> SystemType:
        """Return one system type."""
        ...

    def refusals(self) -> Sequence[str]:
        """Return what is wrong with a person's own profiles, ``FILE:LINE: …`` each."""
        ...

    def chart(self) -> Sequence[Chair]:
        """Return the org chart of the roster in force."""
        ...

    def plan(self, profile: str, wishes: Wishes) -> Provision:
        """Return what it would mean, and change nothing."""
        ...

    async def provision(self, profile: str, wishes: Wishes) -> Provision:
        """Write the roster; the running fleet follows it. Return what was done."""
        ...
