"""A clock that stands still until it is told to go on."""

from datetime import UTC, datetime, timedelta


class StandingClock:
    """Call it for the time."""

    def __init__(self, now: datetime = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, by: timedelta) -> None:
        """Let time pass."""
        self.now += by
