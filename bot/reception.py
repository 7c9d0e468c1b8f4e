"""A connector as a part of the daemon: it listens, and how it is can be seen."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from bot.model import ConnectorHealth
from bot.ports import Accept, Connector, Positions

_LOOK = timedelta(seconds=2)
_FIRST_LOOKS = timedelta(milliseconds=50)


class Reception:
    """The part ``connector.KIND``: subscribes from the stored position and reports the connector's health.

    ``trouble(part, detail)`` is called when the other side is away while the connector itself goes on.
    """

    def __init__(
        self,
        connector: Connector,
        positions: Positions,
        accept: Accept,
        trouble: Callable[[str, str], None],
    ) -> None:
        self.name = f"connector.{connector.kind}"
        self._connector = connector
        self._positions = positions
        self._accept = accept
        self._trouble = trouble

    async def run(self, ready: Callable[[str], None]) -> None:
        """Listen until cancelled; raises what the connector raises."""
        position = await self._positions.position(self._connector.kind)
        listening = asyncio.create_task(self._connector.subscribe(self._accept, position))
        watching = asyncio.create_task(self._watch(ready))
        try:
            await asyncio.wait({listening, watching}, return_when=asyncio.FIRST_COMPLETED)
            for task in (listening, watching):
                if task.done():
                    task.result()
        finally:
            listening.cancel()
            watching.cancel()
            await asyncio.gather(listening, watching, return_exceptions=True)

    async def _watch(self, ready: Callable[[str], None]) -> None:
        look = _FIRST_LOOKS
        while True:
            health = await self._connector.health()
            if health.reachable and health.authenticated:
                ready(_detail(health))
                look = _LOOK
            else:
                self._trouble(self.name, _detail(health))
            await asyncio.sleep(look.total_seconds())


def _detail(health: ConnectorHealth) -> str:
    return health.detail or health.state
