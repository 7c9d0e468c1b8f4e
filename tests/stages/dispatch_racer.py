"""A process that races for cards: ``python -m tests.stages.dispatch_racer ROLE NUMBER`` with DATABASE_URL.

A ``leader`` believes to lead whoever else does: it hands cards to all agents of the register and ends every open
dispatch, over several connections at once. ``agents`` claim, complete, give back and take back by themselves. It
reads one seed a line, plays a round, and writes what it did as JSON: ``{"assigned", "ended", "claimed", "lost"}``.
"""

import asyncio
import json
import os
import random
import sys
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

from bot.backlog.cards import CardStatus
from bot.errors import TransientError, UserError
from bot.model import Caller, Principal, Via
from bot.supervision.ports import OpenDispatch, Outcome, Worker
from storage.database import Database, Target
from tests.stages.supervision import GRACE, TTL, SupervisionStage, postgres_supervision

CONNECTIONS = 4
_FAILURES = tuple(one for one in Outcome if one is not Outcome.COMPLETED)
_CLAIMERS = 4


class Round:
    """One round of one process."""

    def __init__(self, stage: SupervisionStage, chance: random.Random) -> None:
        self._stage = stage
        self._chance = chance
        self.did: dict[str, list[Any]] = {"assigned": [], "ended": [], "claimed": [], "lost": []}

    # -- a leader --------------------------------------------------------------------------------------

    async def lead(self) -> None:
        """End what is open and hand out what is ready, both at once and in an order of its own."""
        workers, found = await self._stage.workers.all(), await self._stage.dispatches.open()
        # Most that are not done are left for the next round: agents then work on them.
        steps = [self._end(one) for one in found if _is_done(one) or self._chance.random() < 0.2]
        steps += [self._assign(worker) for worker in (*workers, *workers)]
        await self._all(steps)

    async def _assign(self, worker: Worker) -> None:
        given = await self._stage.dispatches.assign(worker, TTL, GRACE)
        if given is not None:
            dispatch = given.dispatch
            self.did["assigned"].append([dispatch.card_id, dispatch.place, dispatch.claim_token])

    async def _end(self, progress: OpenDispatch) -> None:
        outcome = Outcome.COMPLETED if _is_done(progress) else self._chance.choice(_FAILURES)
        if await self._stage.dispatches.end(progress.dispatch, outcome, "a race"):
            self.did["ended"].append([progress.dispatch.card_id, outcome.value])

    # -- agents ----------------------------------------------------------------------------------------

    async def work(self) -> None:
        """Do what agents do with their tokens while others want the same cards."""
        held = [
            (one.dispatch.card_id, one.dispatch.claim_token, one.dispatch.place)
            for one in await self._stage.dispatches.open()
        ]
        steps = [self._use(*one) for one in held if self._chance.random() < 0.5]
        steps += [self._claim(f"here/own{number}") for number in range(_CLAIMERS)]
        steps.append(self._reclaim())
        await self._all(steps)

    async def _claim(self, place: str) -> None:
        claims, over = self._stage.backlog.claims, self._chance.random() < 0.5
        grace = timedelta() if over else None
        card = await claims.claim(place, TTL, None, _agent(place), grace=grace)
        if card is None or card.claim_token is None:
            return
        self.did["claimed"].append([card.id, place, card.claim_token])
        if not over:  # the others run out at once, and are taken back by whoever looks
            await self._use(card.id, card.claim_token, place)

    async def _use(self, card_id: str, token: str, place: str) -> None:
        claims, by = self._stage.backlog.claims, _agent(place)
        match self._chance.randrange(4):
            case 0:
                await claims.release(card_id, token, by)
            case 1:
                await claims.renew(card_id, token, None, by)
            case _:
                await claims.complete(card_id, token, by)

    async def _reclaim(self) -> None:
        await self._stage.backlog.claims.reclaim(None, _agent("here/own0"))

    async def _all(self, steps: Sequence[Coroutine[Any, Any, None]]) -> None:
        """Take all steps, as many at once as there are connections, and tell what was lost."""
        line = list(steps)
        self._chance.shuffle(line)

        async def take() -> None:
            while line:
                try:
                    await line.pop()
                except UserError as error:
                    if error.code != "stale_token":
                        raise
                except TransientError as error:
                    self.did["lost"].append(error.message)

        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(take())


def _is_done(progress: OpenDispatch) -> bool:
    return progress.card is not None and progress.card.status is CardStatus.DONE


def _agent(place: str) -> Caller:
    return Caller(Principal(f"agent:{place}", place), Via.CLI)


async def _main(role: str, number: int) -> None:
    database = Database(size=CONNECTIONS)
    await database.open(Target(os.environ["DATABASE_URL"]))
    stage = postgres_supervision(database)
    print("ready", flush=True)  # noqa: T201
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        played = Round(stage, random.Random(f"{line} {number}"))
        await (played.lead if role == "leader" else played.work)()
        print(json.dumps(played.did), flush=True)  # noqa: T201 - its answer
    await database.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
