"""What a profile makes of a roster: whom it keeps, whom it adds, where the two say different things. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bot.config.places import Places
from fleet.personas.persona import persona
from fleet.personas.tiers import Choice
from fleet.profiles.profile import Profile, Seat, names_of
from fleet.roster.document import Agent, Roster


@dataclass(frozen=True, slots=True)
class Draft:
    """The changes: ``added`` are new agents, ``superiors`` whom agents that are there get above them.

    ``head`` are keys that the roster does not have yet.
    """

    added: tuple[Mapping[str, Any], ...]
    superiors: Mapping[str, str]
    head: Mapping[str, Any]
    conflicts: tuple[str, ...]
    tiers: Mapping[str, str]


def draft(
    profile: Profile,
    roster: Roster,
    places: Places,
    choices: Mapping[str, Choice],
    working_directory: str | None = None,
) -> Draft:
    """Return what has to be added so that the roster has every agent of the profile, in its place."""
    making = _Making(profile, roster, places, choices, working_directory)
    making.fill_seats()
    making.put_above()
    making.head_keys()
    return Draft(
        tuple(making.added.values()),
        making.superiors,
        making.head,
        tuple(making.conflicts),
        making.tiers,
    )


def tier_of(seat: Seat, places: Places) -> str:
    """Return which model is enough for a seat: what the profile says, else what the persona does."""
    return seat.model_tier or persona(seat.agent_class, places).model_tier


@dataclass(slots=True)
class _Making:
    profile: Profile
    roster: Roster
    places: Places
    choices: Mapping[str, Choice]
    directory: str | None
    added: dict[str, dict[str, Any]] = field(default_factory=dict)
    superiors: dict[str, str] = field(default_factory=dict)
    head: dict[str, Any] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    tiers: dict[str, str] = field(default_factory=dict)
    _holders: dict[str, list[str]] = field(default_factory=dict)

    # -- who is there, and who is new ------------------------------------------------------------------

    def fill_seats(self) -> None:
        """Give every seat its agents: those of its class that are there, in their order, then new ones."""
        for seat in self.profile.roster:
            kept = [one for one in self.roster.agents if one.agent_class == seat.agent_class]
            holders = [one.name for one in kept]
            for agent in kept:
                self._note_other_program(agent, self._tier(seat))
            for _ in range(seat.multiplicity - len(kept)):
                name = self._free_name(seat)
                self.added[name] = self._new(name, seat)
                holders.append(name)
            for name in holders:
                self.tiers[name] = self._tier(seat)
            self._holders[seat.agent_class] = holders

    def _tier(self, seat: Seat) -> str:
        return tier_of(seat, self.places)

    def _note_other_program(self, agent: Agent, tier: str) -> None:
        wanted = self.choices[tier]
        if agent.runtime != wanted.runtime:
            self.conflicts.append(
                f"{agent.name} is a {agent.runtime} agent; a new one would be {wanted}"
            )

    def _free_name(self, seat: Seat) -> str:
        taken = {one.name: one.agent_class for one in self.roster.agents}
        wanted = [name for name in names_of(seat) if name not in self.added]
        for name in wanted:
            if name not in taken:
                return name
        name = next(
            name
            for name in (f"{seat.agent_class}{number}" for number in count(1))
            if name not in taken and name not in self.added
        )
        other = taken[wanted[0]] if wanted else seat.agent_class
        if other != seat.agent_class:
            said = f"the name {wanted[0]} belongs to an agent of class {other}"
            self.conflicts.append(f"{said}; the new one of class {seat.agent_class} is {name}")
        return name

    def _new(self, name: str, seat: Seat) -> dict[str, Any]:
        choice = self.choices[self._tier(seat)]
        said = {
            "name": name,
            "class": seat.agent_class,
            "runtime": choice.runtime,
            "model_hint": choice.model_hint,
            "working_directory": self.directory,
            "reset_between_tasks": self._resets(seat) or None,
            "profile": self._other_profile(),
            "budget": None if seat.budget is None else seat.budget.plain(),
        }
        return {key: value for key, value in said.items() if value is not None}

    def _resets(self, seat: Seat) -> bool:
        if seat.reset_between_tasks is not None or seat.agent_class == self.profile.lead:
            return bool(seat.reset_between_tasks)
        return not persona(seat.agent_class, self.places).persistent_persona

    def _other_profile(self) -> str | None:
        same = self.roster.profile in {None, self.profile.id}
        return None if same else self.profile.id

    # -- who stands above whom -------------------------------------------------------------------------

    def put_above(self) -> None:
        """Say to whom everybody reports who does not say so; whoever says otherwise stays there."""
        for seat in self.profile.roster:
            superior = self._superior(seat)
            for name in self._holders[seat.agent_class]:
                if superior is not None and superior != name:
                    self._put(name, superior)

    def _superior(self, seat: Seat) -> str | None:
        if seat.reports_to is not None:
            return self._holders[seat.reports_to][0]
        # A second system type in one fleet: its lead stands below whoever leads already.
        return self.roster.lead

    def _put(self, name: str, superior: str) -> None:
        if name in self.added:
            self.added[name]["reports_to"] = superior
            return
        agent = next(one for one in self.roster.agents if one.name == name)
        if agent.reports_to is None and name != self.roster.lead:
            self.superiors[name] = superior
        elif agent.reports_to != superior:
            said = (
                "leads the fleet" if agent.reports_to is None else f"reports to {agent.reports_to}"
            )
            self.conflicts.append(f"{name} {said}; in the profile: {superior}")

    # -- what the whole fleet is -----------------------------------------------------------------------

    def head_keys(self) -> None:
        """Say what the fleet is for, who leads it and what its floor is, where the roster does not."""
        lead = self._holders[self.profile.lead][0]
        wanted = {"profile": self.profile.id, "lead": lead}
        for key, value in wanted.items():
            said = getattr(self.roster, key)
            if said is None:
                self.head[key] = value
            elif said != value:
                self.conflicts.append(f"{key} is {said}; in the profile: {value}")
        self._widen_floor()
        self._keep_budget()
        before = self.roster.leader
        if "lead" in self.head and before is not None and before.name != lead:
            self.conflicts.append(f"{before.name} stays, but people talk to {lead} from now on")

    def _widen_floor(self) -> None:
        there = {one.agent_class for one in self.roster.agents}
        explicit = "floor" in self.roster.model_fields_set
        before = [one for one in self.roster.floor if explicit or one in there]
        floor = [*before, *(one for one in self.profile.floor if one not in before)]
        if tuple(floor) != self.roster.floor:
            self.head["floor"] = floor

    def _keep_budget(self) -> None:
        wanted = self.profile.budget
        if wanted is None or self.roster.budget == wanted:
            return
        if self.roster.budget is None:
            self.head["budget"] = wanted.plain()
        else:
            self.conflicts.append(
                "budget is another; in the profile: "
                + ", ".join(f"{key} {value:,}" for key, value in wanted.plain().items())
            )
