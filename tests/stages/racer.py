"""A process that takes part in races on a backlog: ``python -m tests.stages.racer SOCKET_DIRECTORY``.

It reads one step a line as JSON, ``[action, arguments]``, does it at once, and writes how it ended:
``[outcome, card id, token]``, where the outcome is ``ok``, ``none``, a refusal's code, or ``lost`` when the
database went away under it.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.backlog.cards import CardDraft
from bot.backlog.ports import Backlog
from bot.backlog.shipment import Entry
from bot.errors import TransientError, UserError
from bot.model import Caller, Principal, Via
from storage.backlog.backlog import postgres_backlog
from storage.database import Database, Target

_MINUTE = timedelta(minutes=1)
_BY = Caller(Principal("local:0", "racer"), Via.CLI)
Ending = Sequence[str | None]


class Racer:
    """The steps of all races; a lost answer is told, never retried."""

    def __init__(self, backlog: Backlog) -> None:
        self._backlog = backlog
        self.steps: dict[str, Callable[..., Awaitable[Ending]]] = {
            "claim": self.claim,
            "complete": self.complete,
            "link": self.link,
            "reclaim": self.reclaim,
            "bring": self.bring,
        }

    async def claim(self, owner: str, card_id: str | None) -> Ending:
        """Claim the best card or this one."""
        card = await self._backlog.claims.claim(owner, _MINUTE, card_id, _BY)
        return ("none", None, None) if card is None else ("ok", card.id, card.claim_token)

    async def complete(self, card_id: str, token: str | None) -> Ending:
        """Complete a card."""
        await self._backlog.claims.complete(card_id, token, _BY)
        return "ok", card_id, token

    async def link(self, waits: str, needed: str) -> Ending:
        """Let a card wait for another."""
        await self._backlog.dependencies.link(waits, needed, _BY)
        return "ok", waits, None

    async def reclaim(self) -> Ending:
        """End the claims whose time is over."""
        ids = await self._backlog.claims.reclaim(None, _BY)
        return ("ok", ids[0], None) if ids else ("none", None, None)

    async def bring(self, cards: Sequence[dict[str, Any]]) -> Ending:
        """Import cards, each with the key that its id gives it."""
        entries = entries_of(cards)
        landing = await self._backlog.shipments.bring(entries, _BY, update=False, dry_run=False)
        return ("ok" if landing.created else "none"), None, None


def entries_of(cards: Sequence[dict[str, Any]]) -> Sequence[Entry]:
    """Return cards as a file would name them, each with a key of its own."""
    drafts = (CardDraft(**card, idempotency_key=f"key {card['id']}") for card in cards)
    return [Entry(replace(draft, depends_on=tuple(draft.depends_on or ()))) for draft in drafts]


async def _attend(racer: Racer, database: Database, target: Target) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        action, arguments = json.loads(line)
        try:
            if not database.is_open:
                await database.open(target)
            ending = await racer.steps[action](*arguments)
        except UserError as error:
            ending = (error.code, None, None)
        except TransientError as error:
            ending = ("lost", error.message, None)
            await database.close()
        print(json.dumps(ending), flush=True)  # noqa: T201 - its answer


async def _main(socket_directory: Path) -> None:
    database, target = Database(size=1), Target(socket_directory=socket_directory)
    await database.open(target)
    print("ready", flush=True)  # noqa: T201
    await _attend(Racer(postgres_backlog(database)), database, target)
    await database.close()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
