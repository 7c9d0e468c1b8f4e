"""The guard against tight loops of starts: three are free, then each waits longer, and all of it decays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.health.starts import crash_loop, note_start, read_starts, wait

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def ago(*seconds: float) -> list[datetime]:
    return [NOW - timedelta(seconds=one) for one in seconds]


@pytest.mark.parametrize(
    ("starts", "seconds"),
    [([], 0), (ago(1, 2), 0), (ago(1, 2, 3), 4), (ago(0, 1, 2, 3), 10), (ago(0, 1, 2, 3, 4), 20)],
)
def test_each_start_doubles_the_wait_after_the_third(starts: list[datetime], seconds: int) -> None:
    assert wait(starts, NOW) == timedelta(seconds=seconds)


def test_it_is_a_crash_loop_from_the_fifth_start_on_and_decays() -> None:
    assert crash_loop(ago(4, 3, 2, 1), NOW) is None
    assert crash_loop(ago(5, 4, 3, 2, 1), NOW) == "crash loop: 5 starts since 11:59:55 UTC"
    assert crash_loop(ago(5, 4, 3, 2, 1), NOW + timedelta(minutes=10)) is None


@given(st.lists(st.datetimes(timezones=st.just(UTC)), max_size=20))
def test_nobody_waits_longer_than_five_minutes(starts: list[datetime]) -> None:
    assert timedelta(0) <= wait(starts, NOW) <= timedelta(minutes=5)


def test_starts_are_kept_and_forgotten_in_their_file(tmp_path: Path) -> None:
    path = tmp_path / "a.starts"
    assert read_starts(path) == []
    note_start(path, NOW - timedelta(minutes=11))
    note_start(path, NOW)
    assert read_starts(path) == [NOW]
    path.write_text("{}")
    assert read_starts(path) == []
