"""What a person can set of the supervisor, and of when people are told what: tables of mosaic.toml."""

from collections.abc import Mapping
from datetime import time, timedelta, tzinfo
from typing import Annotated

from pydantic import Field, model_validator

from bot.moments import Rule, read_clock, read_zone
from bot.section import ClassLimit, Seconds, Section, WallTime, ZoneName

_EVERY_DAY = tuple(range(7))


class Supervisor(Section):
    """How the supervisor hands cards to agents, and when it tells people."""

    tick_seconds: Seconds = 30.0
    """Time between two ticks when nothing happens; what happens is seen sooner."""

    claim_seconds: Annotated[float, Field(ge=10, le=604_800, strict=True)] = 900.0
    """How long a claim made for an agent lasts; it is renewed while there is evidence of work."""

    accept_seconds: Seconds = 60.0
    """Time in which an agent's program must take a card's prompt, else the card goes to another one."""

    quiet_seconds: Seconds = 30.0
    """How long an agent with a card must stand at its empty prompt before its turn counts as ended."""

    class_limits: tuple[ClassLimit, ...] = ()
    """How many agents of a class may hold cards at once, such as `code 4`; a class not named has no limit."""

    attempt_limit: Annotated[int, Field(ge=0, le=1000, strict=True)] = 6
    """Failed attempts in a row after which a card is blocked and people are told; 0 is never."""

    no_progress_minutes: Annotated[float, Field(gt=0, le=10_080, strict=True)] = 30.0
    """How long nothing may move, while there is work and no pause, before people are told."""

    replan: bool = Field(default=True, strict=True)
    """Whether the planner (or the orchestrator) is asked, once, for more when all cards are done."""

    digest_minutes: Annotated[float, Field(gt=0, le=1440, strict=True)] = 10.0
    """Time for which concerns are gathered before they are said in one message; urgent ones come at once."""

    digest_at: WallTime = "08:00"
    """Time of day of the daily digest, on the clock of `[clock] timezone`; empty is none."""

    @property
    def tick(self) -> timedelta:
        """The time between two ticks."""
        return timedelta(seconds=self.tick_seconds)

    @property
    def limits(self) -> Mapping[str, int]:
        """The limits by class."""
        pairs = (entry.split(" ") for entry in self.class_limits)
        return {name: int(number) for name, number in pairs}

    @property
    def claim(self) -> timedelta:
        """How long a claim lasts."""
        return timedelta(seconds=self.claim_seconds)

    @property
    def no_progress(self) -> timedelta:
        """How long nothing may move."""
        return timedelta(minutes=self.no_progress_minutes)

    @property
    def accept(self) -> timedelta:
        """The time in which a prompt must be taken."""
        return timedelta(seconds=self.accept_seconds)

    @property
    def quiet(self) -> timedelta:
        """How long standing at the prompt means that the turn ended."""
        return timedelta(seconds=self.quiet_seconds)

    @property
    def gather(self) -> timedelta:
        """The time for which concerns are gathered."""
        return timedelta(minutes=self.digest_minutes)

    @property
    def daily(self) -> Rule | None:
        """When the daily digest falls due, None for never."""
        return Rule(_EVERY_DAY, read_clock(self.digest_at)) if self.digest_at else None


class Clock(Section):
    """What the clock on the wall shows."""

    timezone: ZoneName = "UTC"
    """Time zone of the digests and of quiet hours, such as `Europe/Berlin`; people's reminders follow it too."""

    people: tuple[Annotated[str, Field(pattern=r"^[a-z]+:\S+ \S+$", strict=True)], ...] = ()
    """People who live elsewhere: an id and a zone each, such as `matrix:@ann:example.org Asia/Tokyo`."""

    @property
    def zone(self) -> tzinfo:
        """The time zone of this installation."""
        return read_zone(self.timezone)

    def timezone_of(self, principal_id: str) -> str:
        """Return the name of a person's time zone."""
        known = dict(entry.split(" ") for entry in self.people)
        return known.get(principal_id, self.timezone)

    @model_validator(mode="after")
    def _known(self) -> "Clock":
        for entry in self.people:
            read_zone(entry.split(" ")[1])
        return self


class Quiet(Section):
    """Hours in which people are told nothing that can wait. Reminders that they set are said all the same."""

    begin: WallTime = ""
    """When they begin, such as `22:00`, on the clock of `[clock] timezone`; empty is never."""

    end: WallTime = ""
    """When they end, such as `07:00`."""

    @property
    def times(self) -> tuple[time, time] | None:
        """Begin and end, None for never."""
        return (read_clock(self.begin), read_clock(self.end)) if self.begin else None

    @model_validator(mode="after")
    def _whole(self) -> "Quiet":
        if bool(self.begin) != bool(self.end):
            raise ValueError("begin and end go together: set both or neither")
        if self.times is not None and self.times[0] == self.times[1]:
            raise ValueError("begin and end must differ")
        return self
