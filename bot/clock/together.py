"""Steps that run together."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def until_one_ends(*steps: Coroutine[Any, Any, object]) -> None:
    """Run steps until the first one ends, raise what it raised, and cancel the others; all have ended on return."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
