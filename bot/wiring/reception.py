"""A connector as a part of the daemon, and as a carrier of what the mailbox holds."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from bot.clock.together import until_one_ends
from bot.connector import ConnectorHealth
from bot.model import Delivery, Receipt, SendResult
from bot.part_status import PartState
from bot.ports import Accept, Connector, LooksBack, Positions

Open = Callable[[], AbstractAsyncContextManager[Connector]]
"""Makes a connector from what the roster and the environment say now, and closes it at the end."""

_LOOK = timedelta(seconds=2)
_FIRST_LOOK = timedelta(milliseconds=50)


class Reception:
    """The part ``connector.KIND``: opens it, listens from the stored position, reports its health.

    ``trouble(part, detail, state)`` is called when the other side is away or the connector is in safe mode, while the
    connector itself goes on; but for an ``optional`` one, which is well while nobody is on its other side.
    """

    def __init__(
        self,
        kind: str,
        opened: Open,
        positions: Positions,
        accept: Accept,
        trouble: Callable[[str, str, PartState], None],
        *,
        optional: bool = False,
    ) -> None:
        self.name = f"connector.{kind}"
        self._kind = kind
        self._open = opened
        self._positions = positions
        self._accept = accept
        self._trouble = trouble
        self._optional = optional

    async def run(self, ready: Callable[[str], None]) -> None:
        """Listen until cancelled; raises what opening and subscribing raise."""
        position = await self._positions.position(self._kind)
        async with self._open() as connector:
            await until_one_ends(
                connector.subscribe(self._accept, position), self._watch(connector, ready)
            )

    async def _watch(self, connector: Connector, ready: Callable[[str], None]) -> None:
        look = _FIRST_LOOK
        while True:
            health = await connector.health()
            if not (self._optional or (health.reachable and health.authenticated)):
                self._trouble(self.name, _detail(health), PartState.RETRYING)
            elif health.safe_mode:
                self._trouble(self.name, _detail(health), PartState.SAFE_MODE)
                look = _LOOK
            else:
                ready(_detail(health))
                look = _LOOK
            await asyncio.sleep(look.total_seconds())


class ConnectorCarrier:
    """Carries deliveries by a connector: one send, whose answer is the receipt."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    async def carry(
        self,
        delivery: Delivery,
        record: Callable[[Receipt], Awaitable[None]],  # noqa: ARG002 - a send has one outcome
    ) -> SendResult:
        """Send the delivery's event; a repeated one has the same transaction id."""
        if delivery.attempts > 1 and isinstance(self._connector, LooksBack):
            return await self._connector.send_again(delivery.outbound, delivery.first_tried_at)
        return await self._connector.send(delivery.outbound)


def _detail(health: ConnectorHealth) -> str:
    return health.detail or health.state
