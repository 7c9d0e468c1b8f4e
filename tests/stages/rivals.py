"""Two whole daemons with one database and one bot on Discord."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.stages.installation import Installation
from tests.stages.postgres import Tier
from tests.stages.room import PATIENCE
from tests.stages.workshop import Workshop, workshop
from tests.waiting import until


class Rivals:
    """The daemon that came first, in its workshop, and one that comes second on a host of its own."""

    def __init__(self, shop: Workshop, home: Path, database_url: str) -> None:
        environ = {"DISCORD_BOT_TOKEN": shop.bot.token, "DATABASE_URL": database_url}
        self.shop = shop
        self.first = shop.installation
        self.second = Installation(home, environ)
        self.first.give(environ)
        shop.write(agents=(), more='[host]\nname = "first"\n')
        shop.installation, ours = self.second, shop.installation
        shop.write(agents=(), more='[host]\nname = "second"\n')
        shop.installation = ours

    async def part(self, state: str) -> dict[str, Any]:
        """Wait until the connector of the second daemon is in a state; return what is said of it."""

        async def found() -> dict[str, Any] | None:
            parts = (await self.second.status())["parts"]
            told: dict[str, Any] = parts.get("connector.discord", {})
            return told if told.get("state") == state else None

        return await until(found, PATIENCE, f"the second to be {state}", every=0.3) or {}


@asynccontextmanager
async def rivals(directory: Path, server: Tier) -> AsyncIterator[Rivals]:
    """Lend two installations; the first one runs, the second one does not yet."""
    async with server.empty() as target, workshop(directory / "first" / "home") as shop:
        assert target.url is not None
        (directory / "second").mkdir(parents=True)
        found = Rivals(shop, directory / "second" / "home", target.url)
        await found.first.up()
        await shop.part("ok")
        try:
            yield found
        finally:
            await found.second.close()
