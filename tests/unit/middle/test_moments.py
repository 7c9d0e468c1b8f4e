"""Times in people's words, over both changes of the clock; no test looks at the real one."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.clock.moments import (
    Rule,
    read_clock,
    read_moment,
    read_rule,
    read_span,
    read_zone,
    spoken_span,
)
from bot.errors import UsageError
from tests.modesty import modest

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [UTC, BERLIN, *map(ZoneInfo, ("America/New_York", "Australia/Lord_Howe", "Pacific/Apia"))]
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday
DAILY = tuple(range(7))

moments = st.datetimes(datetime(2011, 1, 1), datetime(2031, 1, 1)).map(  # noqa: DTZ001 - made aware right here
    lambda moment: moment.replace(tzinfo=UTC)
)
rules = st.builds(
    Rule,
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0)),
)


@pytest.mark.parametrize(
    ("word", "span"),
    [
        ("45s", timedelta(seconds=45)),
        ("20m", timedelta(minutes=20)),
        ("1h30m", timedelta(minutes=90)),
        ("2D", timedelta(days=2)),
        ("1w", timedelta(weeks=1)),
    ],
)
def test_a_span_is_read(word: str, span: timedelta) -> None:
    assert read_span(word) == span


@pytest.mark.parametrize("word", ["", "0s", "2", "h", "-2h", "2h 3m", "999999w", "1y", "²h"])
def test_what_is_no_span_is_refused_with_what_is(word: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_span(word)
    assert "1h30m" in str(refused.value.hint)


@pytest.mark.parametrize(
    ("words", "due", "text"),
    [
        ("15:00 tea", "2026-11-25T15:00+00:00", "tea"),
        ("9 tea  time", "2026-11-26T09:00+00:00", "tea  time"),
        ("12:00 now is not later", "2026-11-26T12:00+00:00", "now is not later"),
        ("2026-12-01 09:00 freeze", "2026-12-01T09:00+00:00", "freeze"),
        ("2026-12-01T09:00 freeze", "2026-12-01T09:00+00:00", "freeze"),
        ("2026-11-25 12:01", "2026-11-25T12:01+00:00", ""),
    ],
)
def test_a_moment_is_read_with_what_follows(words: str, due: str, text: str) -> None:
    assert read_moment(words, NOON, UTC) == (datetime.fromisoformat(due), text)


@pytest.mark.parametrize(
    "words", ["", "24:00 x", "9:60 x", "noon x", "2026-02-30 9 x", "2026-12-01 x", "2026-11-25 12:00 x",
              "2020-01-01 9 x", "9999-12-31 23:59 x", "٣:00 x"]
)  # fmt: skip
def test_what_is_no_moment_ahead_is_refused(words: str) -> None:
    with pytest.raises(UsageError):
        read_moment(words, NOON, UTC)


@pytest.mark.parametrize(
    ("words", "rule", "text"),
    [
        ("day at 9:00 stand-up", "day at 09:00", "stand-up"),
        ("weekday at 09:00 stand-up", "weekday at 09:00", "stand-up"),
        ("monday at 9 plan", "monday at 09:00", "plan"),
        ("Fridays 17:30 go", "friday at 17:30", "go"),
        ("monday,thursday,monday at 8 x at 9", "monday,thursday at 08:00", "x at 9"),
    ],
)
def test_a_rule_is_read_and_written_in_the_same_words(words: str, rule: str, text: str) -> None:
    found, rest = read_rule(words)
    assert (str(found), rest) == (rule, text)
    assert read_rule(str(found)) == (found, "")


@pytest.mark.parametrize(
    "words", ["", "day", "day at", "moonday at 9 x", "day at 25 x", ", at 9 x"]
)
def test_what_is_no_rule_is_refused_with_what_is(words: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_rule(words)
    assert "weekday at 09:00" in str(refused.value.hint)


def test_what_summer_time_leaves_out_comes_as_much_later() -> None:
    rule = Rule(DAILY, time(2, 30))
    night = datetime(2026, 3, 28, 12, tzinfo=BERLIN)
    due = [night]
    for _ in range(3):
        due.append(rule.after(due[-1], BERLIN))
    assert [f"{at.astimezone(BERLIN):%m-%d %H:%M%z}" for at in due[1:]] == [
        "03-29 03:30+0200",
        "03-30 02:30+0200",
        "03-31 02:30+0200",
    ]
    moved, _ = read_moment("2026-03-29 02:30 x", night, BERLIN)
    assert moved == due[1]


def test_what_winter_time_repeats_comes_the_first_time_alone() -> None:
    rule = Rule(DAILY, time(2, 30))
    due = [datetime(2026, 10, 24, 12, tzinfo=BERLIN)]
    for _ in range(2):
        due.append(rule.after(due[-1], BERLIN))
    assert [f"{at.astimezone(BERLIN):%m-%d %H:%M%z}" for at in due[1:]] == [
        "10-25 02:30+0200",
        "10-26 02:30+0100",
    ]


@modest
@given(rules, moments, st.sampled_from(ZONES))
def test_a_rule_falls_due_in_order_and_on_a_day_at_most_once(
    rule: Rule, moment: datetime, zone: ZoneInfo
) -> None:
    first = rule.after(moment, zone)
    second = rule.after(first, zone)
    assert moment < first < second
    assert second - first <= timedelta(days=15), "Apia left out a whole day once"
    assert first.astimezone(zone).date() < second.astimezone(zone).date()
    assert rule.after(first - timedelta(microseconds=1), zone) == first
    assert rule.latest(first, zone) == first
    assert rule.latest(second - timedelta(microseconds=1), zone) == first


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "A\0"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="Europe/Berlin"):
        read_zone(name)


def test_a_time_of_day_is_read() -> None:
    assert [read_clock(word) for word in ("9", "09", "23:59")] == [time(9), time(9), time(23, 59)]
    with pytest.raises(ValueError, match="no time of day"):
        read_clock("9am")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.6, "1 min"), (3660, "1 h 1 min"), (3601, "1 h"), (90_061, "1 d 1 h"), (-5, "0 s")],
)  # fmt: skip
def test_a_span_is_spoken_by_its_two_largest_units(seconds: float, said: str) -> None:
    assert spoken_span(timedelta(seconds=seconds)) == said
