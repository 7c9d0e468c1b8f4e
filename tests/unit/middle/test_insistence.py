"""A step is repeated while it may yet be done, and no longer."""

from datetime import timedelta

import pytest

from bot.clock.backoff import Backoff
from bot.clock.insistence import Insistence
from bot.errors import TransientError, UserError

AT_ONCE = Backoff(timedelta(), timedelta())


class Step:
    """A step that ends in one way after another."""

    def __init__(self, *ends: Exception | str) -> None:
        self.ends = list(ends)

    async def __call__(self) -> str:
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end


async def test_what_is_away_is_asked_until_it_answers_and_each_failure_is_noted() -> None:
    noted: list[tuple[str, int]] = []
    insist = Insistence(AT_ONCE, lambda error, attempt: noted.append((error.message, attempt)))
    assert await insist(Step(TransientError("away"), TransientError("still"), "done")) == "done"
    assert noted == [("away", 1), ("still", 2)]


async def test_what_no_repeating_helps_is_raised_at_once() -> None:
    step = Step(UserError("no such card"), "never asked for")
    with pytest.raises(UserError, match="no such card"):
        await Insistence(AT_ONCE, lambda _error, _attempt: None)(step)
    assert step.ends == ["never asked for"]


async def test_who_hears_of_the_failures_may_end_it() -> None:
    def enough(error: TransientError, attempt: int) -> None:
        if attempt == 2:
            raise error

    step = Step(TransientError("away"), TransientError("still away"), "never asked for")
    with pytest.raises(TransientError, match="still away"):
        await Insistence(AT_ONCE, enough)(step)
    assert step.ends == ["never asked for"]
