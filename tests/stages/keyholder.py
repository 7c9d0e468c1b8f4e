"""A bot in a process of its own that stops for good between reading a sync and storing what it read."""

import asyncio
import json
import sys
from pathlib import Path

from bot.model import InboundBatch, Principal
from connectors.matrix.connector import MatrixConnector
from connectors.matrix.keys import Keys
from tests.fakes.contents import MemoryContents


async def main() -> None:
    """Read until a text is to be handed on, say so on standard output, and never come back."""
    told = json.loads(sys.argv[1])

    async def hang(batch: InboundBatch) -> None:
        if batch.events:
            sys.stdout.write("holding\n")
            sys.stdout.flush()
            await asyncio.Event().wait()
        sys.stdout.write("listening\n")
        sys.stdout.flush()

    async def nobody(_who: Principal) -> bool:
        return False

    async def unheard(_text: str) -> None:
        return None

    connector = MatrixConnector(
        told["url"], told["user_id"], told["room_id"], told["token"],
        may_invite=nobody, report=unheard, keys=Keys(Path(told["folder"]), told["secret"]),
        contents=MemoryContents(),
    )  # fmt: skip
    await connector.subscribe(hang, told["position"])


if __name__ == "__main__":
    asyncio.run(main())
