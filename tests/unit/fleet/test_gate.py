"""Many pass a gate together, or one alone."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from fleet.tmux.gate import Gate


class Walk:
    """Somebody who goes through a gate and stays in it until told to go on."""

    def __init__(self, way: AbstractAsyncContextManager[None]) -> None:
        self.inside = False
        self._go_on = asyncio.Event()
        self.task = asyncio.create_task(self._run(way))

    async def _run(self, way: AbstractAsyncContextManager[None]) -> None:
        async with way:
            self.inside = True
            await self._go_on.wait()
        self.inside = False

    async def leave(self) -> None:
        self._go_on.set()
        await self.task


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_those_who_may_pass_together() -> None:
    gate = Gate()
    walks = [Walk(gate.together()) for _ in range(3)]
    await settle()
    assert all(walk.inside for walk in walks)
    for walk in walks:
        await walk.leave()


async def test_one_alone_waits_for_those_before_and_keeps_back_those_after() -> None:
    gate = Gate()
    before = Walk(gate.together())
    await settle()
    alone = Walk(gate.alone())
    await settle()
    after = Walk(gate.together())
    await settle()
    assert (before.inside, alone.inside, after.inside) == (True, False, False)
    await before.leave()
    await settle()
    assert (alone.inside, after.inside) == (True, False)
    await alone.leave()
    await settle()
    assert after.inside
    await after.leave()


@pytest.mark.parametrize("waits_for", ["together", "alone"])
async def test_who_gives_up_leaves_the_gate_as_it_was(waits_for: str) -> None:
    gate = Gate()
    first = Walk(gate.together() if waits_for == "together" else gate.alone())
    await settle()
    gone = Walk(gate.alone())
    await settle()
    gone.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone.task
    await first.leave()
    for way in (gate.together(), gate.alone()):
        walk = Walk(way)
        await settle()
        assert walk.inside
        await walk.leave()
