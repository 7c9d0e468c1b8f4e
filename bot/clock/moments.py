"""When something falls due: a span, a moment, or a rule, read from people's words (no clock of its own).

Wall-clock times follow the zone. One that a change to summer time leaves out comes as much later as the clock was put
forward; one that a change to winter time repeats comes the first time alone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from bot.errors import UsageError

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_SPAN = re.compile(
    r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII
)
_TIME = re.compile(r"(\d{1,2})(?::(\d{2}))?", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_FURTHEST = timedelta(days=3660)
_HOW_AT = "such as `15:00`, `9` or `2026-12-01 09:00`"
_HOW_EVERY = "such as `day at 9:00`, `weekday at 09:00` or `monday at 9`"


@dataclass(frozen=True, slots=True)
class Rule:
    """Every week on these days (0 is Monday) when the clock on the wall shows ``at``."""

    days: tuple[int, ...]
    at: time

    def after(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return the first time it falls due after a moment, in UTC; on each day it does so once."""
        today = moment.astimezone(zone).date()
        for ahead in range(9):
            day = today + timedelta(days=ahead)
            due_at = on_wall(day, self.at, zone)
            if day.weekday() in self.days and due_at > moment:
                return due_at
        raise AssertionError("a rule has a day in every week")

    def latest(self, moment: datetime, zone: tzinfo) -> datetime:
        """Return the last time that it fell due until a moment, in UTC."""
        due_at = self.after(moment - timedelta(days=9), zone)
        while (following := self.after(due_at, zone)) <= moment:
            due_at = following
        return due_at

    def __str__(self) -> str:
        """Return the words that ``read_rule`` takes."""
        spoken = {tuple(range(7)): "day", tuple(range(5)): "weekday"}
        which = spoken.get(self.days) or ",".join(_DAYS[day] for day in self.days)
        return f"{which} at {self.at:%H:%M}"


def on_wall(day: date, at: time, zone: tzinfo) -> datetime:
    """Return the moment in UTC when a wall clock shows this."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def read_zone(name: str) -> tzinfo:
    """Return a time zone by its name in the IANA database; ValueError when there is none."""
    if name == "UTC":
        return UTC  # also where no database of zones is installed
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(
            f"{name!r} is no time zone; allowed are names such as UTC or Europe/Berlin"
        ) from error


def read_clock(word: str) -> time:
    """Return a time of day from ``9``, ``9:00`` or ``09:00``; ValueError for anything else."""
    match = _TIME.fullmatch(word)
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        raise ValueError(f"{word!r} is no time of day; allowed are 0:00 to 23:59")
    return time(int(match[1]), int(match[2] or 0))


def read_span(word: str) -> timedelta:
    """Return a span from ``45s``, ``2h``, ``1h30m``, ``3d``, ``2w``; UsageError for anything else."""
    match = _SPAN.fullmatch(word.lower())
    given = zip(_UNITS.values(), match.groups(), strict=True) if match else ()
    span = timedelta(**{unit: int(count) for unit, count in given if count is not None})
    if not timedelta() < span <= _FURTHEST:
        raise UsageError(
            f"{word!r} is no span of time", hint="such as `45s`, `20m`, `2h`, `1h30m`, `3d`, `2w`"
        )
    return span


def spoken_span(span: timedelta) -> str:
    """Return a span for people, by its two largest units: ``2 h 5 min``."""
    left, words = round(max(span.total_seconds(), 0)), []
    for name, length in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, length)
        if count:
            words.append(f"{count} {name}")
        elif words:
            break
    return " ".join(words[:2]) or "0 s"


def read_moment(words: str, now: datetime, zone: tzinfo) -> tuple[datetime, str]:
    """Return the moment with which words begin, in UTC, and the words after it.

    A time alone is the next time that the clock shows it. UsageError for what is no moment, or a past one.
    """
    first, rest = _split(words.replace("T", " ", 1) if _DATE.match(words) else words)
    if _DATE.fullmatch(first) is None:
        rule = Rule(tuple(range(7)), _clock(first, _HOW_AT))
        return rule.after(now, zone), rest
    clock, rest = _split(rest)
    try:
        due_at = on_wall(date.fromisoformat(first), _clock(clock, _HOW_AT), zone)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{first!r} is no day", hint=_HOW_AT) from error
    if not now < due_at <= now + _FURTHEST:
        raise UsageError(f"{first} {clock} is past, or too far ahead", hint=_HOW_AT)
    return due_at, rest


def read_rule(words: str) -> tuple[Rule, str]:
    """Return the rule with which words begin, such as ``weekday at 9:00``, and the words after it."""
    which, rest = _split(words)
    link, after = _split(rest)
    clock, text = _split(after if link.lower() == "at" else rest)
    return Rule(_days(which.lower()), _clock(clock, _HOW_EVERY)), text


def _days(words: str) -> tuple[int, ...]:
    known = {"day": range(7), "weekday": range(5)}
    if words in known:
        return tuple(known[words])
    names = [word.strip().removesuffix("s") for word in words.split(",")]
    if any(name not in _DAYS for name in names):
        raise UsageError(f"{words!r} is no day", hint=_HOW_EVERY)
    return tuple(sorted({_DAYS.index(name) for name in names}))


def _clock(word: str, how: str) -> time:
    try:
        return read_clock(word)
    except ValueError as error:
        raise UsageError(str(error), hint=how) from error


def _split(words: str) -> tuple[str, str]:
    first, _, rest = words.strip().partition(" ")
    return first, rest.strip()
