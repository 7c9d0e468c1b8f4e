"""Waiting on facts: the only way a test lets time pass."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, overload

Fact = TypeVar("Fact")


@overload
def until(
    fact: Callable[[], Awaitable[Fact]],
    timeout: float = ...,
    what: str = ...,
    *,
    every: float = ...,
) -> Coroutine[Any, Any, Fact]: ...


@overload
def until(
    fact: Callable[[], Fact], timeout: float = ..., what: str = ..., *, every: float = ...
) -> Coroutine[Any, Any, Fact]: ...


async def until(
    fact: Callable[[], Any],
    timeout: float = 30.0,  # noqa: ASYNC109 - the bound belongs to the wait, not to a caller's scope
    what: str = "",
    *,
    every: float = 0.01,
) -> Any:
    """Poll ``fact`` until it is truthy and return it; AssertionError after ``timeout`` seconds.

    ``every`` is the time between two polls in seconds: more than the 10 ms where a poll is dear.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = fact()
        known = await value if inspect.isawaitable(value) else value
        if known:
            return known
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or fact}")
        await asyncio.sleep(every)
