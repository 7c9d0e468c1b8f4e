"""One run: a homeserver, its rooms, the people in them, two bots, and the blows."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.soak.bots import Bot, Ours, Rival
from tests.bench.soak.house import House
from tests.bench.soak.ledger import Heard, Ledger, settle
from tests.bench.soak.people import Conversation, Room, passed
from tests.bench.soak.plan import Blow, Plan, fits, is_interrupted, line, log_of
from tests.stages.synapse import Town, town
from tests.waiting import until

_PATIENCE = 120.0
_QUIET_SECONDS = 6.0
_LOOK_SECONDS = 0.5
_TOLD_EVERY_SECONDS = 5.0
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Effects:
    """What ours did to the backlog: commands that ran twice, and that were answered as done and did not run."""

    ran_twice: int
    not_run: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything that a run came to."""

    plan: Plan
    seconds: float
    ours: Ledger
    rival: Ledger
    effects: Effects
    bots: tuple[Ours, Rival]


class Soak:
    """The state of a run. ``tell`` is told how it goes."""

    def __init__(self, plan: Plan, rng: random.Random, town: Town, tell: Tell) -> None:
        self._plan = plan
        self._rng = rng
        self._town = town
        self._tell = tell
        self._away: frozenset[str] = frozenset()
        self._done: list[Blow] = []

    async def run(self, directory: Path) -> Outcome:
        """Talk, strike, wait until all that will be answered is answered, and settle."""
        began = time.monotonic()
        self._house = house = House(self._plan, self._town, directory / "clients")
        async with house.open():
            ids = [room.room_id for room in house.rooms]
            self._ours = Ours(directory / "home", self._town, house.ours, house.people, ids)
            self._rival = Rival(directory / "rival", self._town, house.rival)
            self._bots: tuple[Bot, ...] = (self._ours, self._rival)
            names = [bot.user_id for bot in self._bots]
            self._talk = Conversation(self._plan, house.rooms, house.seen, names)
            beside = [asyncio.create_task(one) for one in (self._look_at_memory(), self._report())]
            try:
                await self._meet()
                await self._hold()
                return await self._outcome(time.monotonic() - began)
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)
                for bot in self._bots:
                    await bot.close()

    async def _meet(self) -> None:
        """Start the bots, and leave the cards whose history counts what ran."""
        await asyncio.gather(self._ours.start(), self._rival.start())
        await self._rival.listening()
        await self._house.acquaint([bot.user_id for bot in self._bots])
        for room in self._house.rooms:
            words = ("backlog", "create", "--id", log_of(room.number), "--title", "log")
            ended = await self._ours.installation.mosaic(*words)
            assert ended.status == 0, ended.err

    async def _hold(self) -> None:
        """Hold the conversation and strike in between, until the last word."""
        talking = asyncio.create_task(self._talk.hold(self._house.clients))
        try:
            await self._strike()
            await talking
            await self._wait_for_the_last()
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    # -- the blows -------------------------------------------------------------------------------------

    async def _strike(self) -> None:
        for moment, blow in self._plan.blows(self._rng):
            await passed(
                lambda: self._talk.progress(self._ours.user_id),
                moment,
                _PATIENCE,
                "answers of Mosaic Fleet",
            )
            await asyncio.sleep(self._rng.uniform(0, 0.3))
            await self._deal(blow)
            self._done.append(blow)

    async def _deal(self, blow: Blow) -> None:
        if blow is Blow.RESTART:
            await self._end_homeserver()
            await self._town.synapse.start()
        elif blow is Blow.BOTH:
            await self._end_homeserver()
            await self._kill_bots()
            starting = asyncio.create_task(self._start_bots())
            await asyncio.sleep(1)
            await self._town.synapse.start()
            await starting
        else:
            await self._kill_bots()
            if blow is Blow.ABSENCE:
                await self._go_on_alone()
            await self._start_bots()

    async def _end_homeserver(self) -> None:
        """End it politely or not."""
        synapse = self._town.synapse
        if self._rng.random() < 0.5:
            synapse.kill()
            await synapse.wait()
        else:
            await synapse.stop()

    async def _kill_bots(self) -> None:
        await asyncio.gather(*(bot.kill() for bot in self._bots))

    async def _start_bots(self) -> None:
        await asyncio.gather(*(bot.start() for bot in self._bots))

    async def _go_on_alone(self) -> None:
        """Let people say so much that nobody answers."""
        talk = self._talk
        before = {event_id for room in self._house.rooms for event_id in room.asked}
        goal = min(talk.said + self._plan.away, self._plan.messages)
        talk.free.set()
        await passed(lambda: talk.said, goal, _PATIENCE, "messages said")
        talk.free.clear()
        after = {event_id for room in self._house.rooms for event_id in room.asked}
        self._away = frozenset(after - before)

    # -- the end ---------------------------------------------------------------------------------------

    async def _wait_for_the_last(self) -> None:
        """Wait for all answers of ours, and for the rival for as long as it goes on."""
        talk, ours, all_ = self._talk, self._ours.user_id, self._plan.messages
        await passed(lambda: talk.progress(ours), all_, _PATIENCE, "answers of Mosaic Fleet")
        await until(
            lambda: min(talk.idle(bot) for bot in talk.bots) > _QUIET_SECONDS,
            _PATIENCE,
            "both bots to have said everything",
        )

    async def _outcome(self, seconds: float) -> Outcome:
        heard = {
            bot.user_id: [await self._heard(room, bot.user_id) for room in self._house.rooms]
            for bot in self._bots
        }
        ours = settle(heard[self._ours.user_id], fits, is_interrupted, self._away)
        echoes = settle(
            heard[self._rival.user_id],
            lambda room, number, body: body == line(room, number),
            lambda _: False,
            self._away,
        )
        effects = await self._effects(heard[self._ours.user_id])
        return Outcome(self._plan, seconds, ours, echoes, effects, (self._ours, self._rival))

    async def _heard(self, room: Room, user_id: str) -> Heard:
        events = await self._house.events(room.room_id)
        asked = [
            (e["event_id"], room.asked[e["event_id"]])
            for e in events
            if e["event_id"] in room.asked
        ]
        assert len(asked) == len(room.asked), "the homeserver lost what it had accepted"
        return Heard(room.number, asked, [e for e in events if e["sender"] == user_id])

    async def _effects(self, rooms: Sequence[Heard]) -> Effects:
        """Compare what ran with what was answered as done."""
        mosaic = self._ours.installation.mosaic
        cards = (await mosaic("backlog", "list", "--json", limit=120)).data
        ran = [card["id"] for card in cards]
        for heard in rooms:
            card = log_of(heard.room)
            history = (await mosaic("backlog", "show", card, "--json", limit=120)).data["history"]
            titles = (e["detail"]["title"]["to"] for e in history if e["action"] == "edit")
            ran += [f"R{heard.room}N{title.removeprefix('line ')}" for title in titles]
        promised = {name for heard in rooms for name in _promised(heard)}
        return Effects(len(ran) - len(set(ran)), len(promised - set(ran)))

    # -- beside ----------------------------------------------------------------------------------------

    async def _look_at_memory(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for bot in self._bots:
                if bot.lives:
                    bot.lives[-1].look(self._talk.progress(bot.user_id))

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(_TOLD_EVERY_SECONDS)
            talk = self._talk
            ours, rival = (talk.progress(bot.user_id) for bot in self._bots)
            samples = self._ours.lives[-1].samples if self._ours.lives else ()
            memory = f"{samples[-1].megabytes:.0f} MB" if samples else "not running"
            self._tell(
                f"{talk.said} of {self._plan.messages} said; reached by ours {ours}, by the rival {rival};"
                f" {len(self._done)} blows; ours {memory}"
            )


def _promised(heard: Heard) -> list[str]:
    """Return the names of the changes that were answered as done."""
    numbers = dict(heard.asked)
    promised = []
    for event in heard.said:
        relation = event["content"].get("m.relates_to") or {}
        number = numbers.get((relation.get("m.in_reply_to") or {}).get("event_id", ""))
        if number is None or number % 3 == 2 or is_interrupted(event["content"].get("body", "")):
            continue
        promised.append(f"R{heard.room}N{number}")
    return promised


@asynccontextmanager
async def _own_town(directory: Path) -> AsyncIterator[Town]:
    async with town(directory) as found:
        yield found
        await found.go_home()


async def soak(plan: Plan, directory: Path, seed: int, tell: Tell) -> Outcome:
    """Run it all in a directory of its own; a seed has the same blows at the same messages again."""
    async with _own_town(directory / "synapse") as homeserver:
        return await Soak(plan, random.Random(seed), homeserver, tell).run(directory)
