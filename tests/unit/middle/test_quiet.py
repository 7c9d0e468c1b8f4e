"""Quiet hours follow the clock on the wall, over midnight and both of its changes."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.clock.quiet import QuietHours
from tests.modesty import modest

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietHours(time(22), time(7), BERLIN)
times = st.times().map(lambda at: at.replace(fold=0))
moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(  # noqa: DTZ001 - made aware right here
    lambda moment: moment.replace(tzinfo=UTC)
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def test_the_begin_is_quiet_and_the_end_is_not() -> None:
    said = {"21:59": False, "22:00": True, "00:00": True, "06:59": True, "07:00": False}
    assert {when: NIGHT.hold(at(f"2026-11-25 {when}")) for when in said} == said


def test_without_times_it_is_never_quiet() -> None:
    assert not QuietHours().hold(at("2026-11-25 03:00"))


def quiet_minutes(first: str) -> int:
    """Count the quiet minutes of a day from its noon on."""
    begin = at(f"{first} 12:00").astimezone(UTC)
    end = (at(f"{first} 12:00") + timedelta(days=1)).astimezone(UTC)  # the next noon on the wall
    minutes = range(int((end - begin).total_seconds()) // 60)
    return sum(NIGHT.hold(begin + timedelta(minutes=minute)) for minute in minutes)


def test_the_night_is_as_long_as_the_wall_says() -> None:
    assert quiet_minutes("2026-11-25") == 9 * 60
    assert quiet_minutes("2026-03-28") == 8 * 60, "the clock is put forward in it"
    assert quiet_minutes("2026-10-24") == 10 * 60, "the clock is put back in it"


@modest
@given(times, times, moments, st.sampled_from([UTC, BERLIN, ZoneInfo("Australia/Lord_Howe")]))
def test_each_moment_is_quiet_in_hours_or_in_those_between_them(
    begin: time, end: time, moment: datetime, zone: ZoneInfo
) -> None:
    if begin == end:
        return
    hours, others = QuietHours(begin, end, zone), QuietHours(end, begin, zone)
    assert hours.hold(moment) != others.hold(moment)
