"""The tables of mosaic.toml about time on the wall: whose clock counts, and when people are left alone."""

from datetime import time, tzinfo
from typing import Annotated

from pydantic import Field, model_validator

from bot.clock.moments import read_clock, read_zone
from bot.config.section import Section, WallTime, ZoneName


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
