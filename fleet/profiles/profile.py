"""A profile: a system type as data, so that a file says which agents make it and who reports to whom.

``fleet/profiles/ID.yaml`` ships with the package. Seats name classes of the persona library::

    id: research                     # as the file is named
    title: Research
    purpose: >-                      # what every agent of it is told
      Answers questions with evidence.
    lead: lead-researcher            # the class to whom people talk; it reports to nobody
    floor: [lead-researcher]         # classes without which it does not work
    budget: {dollars_per_day: 20}    # of all its agents together
    roster:
      - {class: lead-researcher, model_tier: large}
      - {class: researcher, reports_to: lead-researcher, multiplicity: 2, budget: {dollars_per_day: 4}}
"""

from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from fleet.personas.contracts import Tier
from fleet.roster.budget import Budget
from fleet.roster.document import Line, Word

ID_PATTERN = r"^[a-z][a-z0-9-]{0,62}$"
ProfileId = Annotated[str, Field(pattern=ID_PATTERN)]
_MOST_ALIKE = 50


class Seat(BaseModel):
    """Agents of one class. ``multiplicity`` is how many there are; ``budget`` is of each of them.

    ``model_tier`` is the persona's unless said here. Whoever's persona keeps no conversation over tasks is begun
    anew after each, unless ``reset_between_tasks`` says otherwise.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    agent_class: Word = Field(alias="class")
    reports_to: Word | None = None
    multiplicity: Annotated[int, Field(ge=1, le=_MOST_ALIKE)] = 1
    model_tier: Tier | None = None
    reset_between_tasks: bool | None = None
    budget: Budget | None = None


class ProfileFile(BaseModel):
    """What one file says. A person's own says what differs; the rest is taken from the shipped one of its id."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: ProfileId | None = None
    title: Line | None = None
    purpose: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    lead: Word | None = None
    floor: tuple[Word, ...] | None = None
    roster: tuple[Seat, ...] | None = None
    budget: Budget | None = None
    notes: str | None = None

    @field_validator("floor", "roster", mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set - {"id"}:
            raise ValueError("the profile says nothing")
        return self


@dataclass(frozen=True, slots=True)
class Profile:
    """One system type. ``source`` is the file that is used.

    ``refused`` says in one line each what is wrong with a person's own file, which is then not used.
    """

    id: str
    title: str
    purpose: str
    lead: str
    floor: tuple[str, ...]
    roster: tuple[Seat, ...]
    budget: Budget | None
    source: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One agent that a profile asks for, by the name that it would have in a fleet of nothing else."""

    name: str
    seat: Seat
    reports_to: str | None


def wanted_by(profile: Profile) -> tuple[Wanted, ...]:
    """Return a profile's agents in its order: ``planner``, and ``code0``, ``code1`` where there are several."""
    return tuple(
        Wanted(name, seat, seat.reports_to) for seat in profile.roster for name in names_of(seat)
    )


def names_of(seat: Seat) -> tuple[str, ...]:
    """Return the names that a seat's agents would have. Nobody reports to a class of several, so its name is one's."""
    if seat.multiplicity == 1:
        return (seat.agent_class,)
    return tuple(f"{seat.agent_class}{number}" for number in range(seat.multiplicity))
