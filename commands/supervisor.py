"""The supervisor, as people ask it: how it is, why nothing moves, and a tick now."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from bot.backlog.ports import Inquiry
from bot.command.declare import EVERYONE, OPERATORS, Call, Effect, Help, command, topic
from bot.errors import TransientError, UserError
from bot.reply import Block, Fields, Reply, Table, Text
from bot.supervision.explanation import explain_agent, explain_card
from bot.supervision.pause import PAUSE_OFFER, RESUME_OFFER, pause_data
from bot.supervision.ports import Dispatches, Leadership, TickRecord, Ticks, Worker
from bot.supervision.tick import FLEET, Sight, Tick

_PATIENCE = timedelta(seconds=20)
_LOOK = timedelta(milliseconds=50)
_TICKS = 500
_SHOWN = 5

Subject = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$"),
    Help("an agent's name (or HOST/NAME), or a card's id; without it: the fleet"),
]


@topic("supervisor")
class SupervisorCommands:
    """What the supervisor tells of itself (spec 3-contracts, Fleet and agents)."""

    def __init__(
        self,
        tick: Tick,
        ticks: Ticks,
        dispatches: Dispatches,
        leadership: Leadership,
        inquiry: Inquiry,
        *,
        every: timedelta,
    ) -> None:
        self._tick = tick
        self._ticks = ticks
        self._dispatches = dispatches
        self._leadership = leadership
        self._inquiry = inquiry
        self._every = every

    @command("status", roles=EVERYONE)
    async def status(self, call: Call) -> Reply:
        """Show who leads, the last tick, the agents by readiness, and the cards under way."""
        sight = await self._tick.look()
        leader, ticks = await self._leadership.leader(), await self._ticks.recent(_TICKS)
        verdicts = await self._ticks.verdicts(FLEET, 1)
        data = self._data(sight, leader, ticks)
        data["verdict"] = verdicts[0].sentence if verdicts else None
        offer = PAUSE_OFFER if sight.pause is None else RESUME_OFFER
        return Reply(data, _status_blocks(data, sight), (offer,))

    def _data(
        self, sight: Sight, leader: tuple[str, datetime] | None, ticks: Any
    ) -> dict[str, Any]:
        last = ticks[0] if ticks else None
        readiness = [worker.sighting.readiness for worker in sight.workers]
        return {
            "leader": None if leader is None else {"host": leader[0], "since": _time(leader[1])},
            "tick_seconds": self._every.total_seconds(),
            "last_tick": None if last is None else tick_data(last),
            "paused": pause_data(sight.pause),
            "agents": {word: readiness.count(word) for word in sorted(set(readiness))},
            "idle_seconds": round(sum(tick.idle_seconds for tick in ticks), 3),
            "open": [
                {
                    "card": one.dispatch.card_id,
                    "agent": one.dispatch.place,
                    "since": _time(one.dispatch.begun_at),
                    "message_id": one.dispatch.message_id,
                    "state": None if one.prompt is None else one.prompt.state.value,
                    "asked": one.ask is not None,
                }
                for one in sight.open
            ],
        }

    @command("tick", roles=OPERATORS, effect=Effect.WRITE)
    async def tick(self, call: Call) -> Reply:
        """Take a tick now, on whichever host leads, and show what it did."""
        asked_at = datetime.now(UTC)
        await self._leadership.nudge()
        deadline = asyncio.get_running_loop().time() + _PATIENCE.total_seconds()
        while True:
            ticks = await self._ticks.recent(1)
            if ticks and ticks[0].begun_at >= asked_at:
                break
            if asyncio.get_running_loop().time() > deadline:
                raise TransientError("nobody took a tick", hint="supervisor status says who leads")
            await asyncio.sleep(_LOOK.total_seconds())
        return Reply(tick_data(ticks[0]), (Text(_tick_sentence(ticks[0])),))

    @command("explain", roles=EVERYONE)
    async def explain(self, call: Call, subject: Subject | None = None) -> Reply:
        """Say why nothing happens: to an agent, to a card, or at all."""
        sight = await self._tick.look()
        if subject is None:
            verdicts = await self._ticks.verdicts(FLEET, _SHOWN)
            said = tuple(f"{one.at:%H:%M:%S} UTC: {one.sentence}." for one in verdicts)
            return _told(FLEET, said or ("No tick was taken yet.",))
        workers = [one for one in sight.workers if subject in {one.name, one.place}]
        if not workers:
            return await self._explain_card(sight, subject)
        said = ()
        for worker in workers:
            said += await self._about_agent(sight, worker)
        return _told(subject, said)

    async def _about_agent(self, sight: Sight, worker: Worker) -> tuple[str, ...]:
        about = f"agent:{worker.place}"
        verdicts = await self._ticks.verdicts(about, 1)
        return explain_agent(sight, worker, verdicts, await self._dispatches.history(about, _SHOWN))

    async def _explain_card(self, sight: Sight, card_id: str) -> Reply:
        try:
            situation = await self._inquiry.situation(card_id)
        except UserError as error:
            names = ", ".join(worker.name for worker in sight.workers) or "nobody"
            raise UserError(
                f"subject: neither an agent nor a card is called {card_id!r}; the agents are: {names}",
                code=error.code,
            ) from error
        past = await self._dispatches.history(f"card:{card_id}", _SHOWN)
        return _told(card_id, explain_card(sight, situation, past))


def tick_data(tick: TickRecord) -> dict[str, Any]:
    """Return a tick as ``supervisor tick --json`` prints it."""
    return {
        "host": tick.host,
        "trigger": tick.trigger,
        "begun_at": _time(tick.begun_at),
        "took_ms": round(tick.took_ms, 1),
        "cpu_ms": round(tick.cpu_ms, 1),
        "reclaimed": tick.reclaimed,
        "dispatched": tick.dispatched,
        "ended": tick.ended,
        "open": tick.open,
        "available": tick.available,
        "idle_seconds": round(tick.idle_seconds, 3),
    }


def _told(subject: str, said: tuple[str, ...]) -> Reply:
    return Reply({"subject": subject, "reasons": list(said)}, (Text("\n".join(said)),))


def _tick_sentence(tick: TickRecord) -> str:
    return (
        f"{tick.host} took a tick at {tick.begun_at:%H:%M:%S} UTC ({tick.trigger}, {tick.took_ms:.0f} ms):"
        f" {tick.dispatched} cards given out, {tick.ended} came to an end, {tick.reclaimed} claims had run out."
    )


def _status_blocks(data: dict[str, Any], sight: Sight) -> tuple[Block, ...]:
    leader, last = data["leader"], data["last_tick"]
    agents = ", ".join(f"{count} {word}" for word, count in data["agents"].items()) or "none"
    pairs = [
        ("leader", "nobody yet" if leader is None else f"{leader['host']} since {leader['since']}"),
        (
            "last tick",
            "none yet"
            if last is None
            else f"{last['begun_at']} ({last['trigger']}), {last['took_ms']:g} ms",
        ),
        ("every", f"{data['tick_seconds']:g} s"),
        ("agents", agents),
        ("free agents waited", f"{data['idle_seconds']:g} s in the last {_TICKS} ticks"),
    ]
    if data["verdict"]:
        pairs.append(("now", data["verdict"]))
    if sight.pause is not None:
        pairs.insert(0, ("paused", sight.pause.sentence()))
    blocks: list[Block] = [Fields(tuple(pairs))]
    if sight.open:
        rows = tuple(
            (
                one.dispatch.card_id,
                one.dispatch.place,
                f"{one.dispatch.begun_at:%H:%M:%S}",
                "-" if one.prompt is None else one.prompt.state.value,
                "yes" if one.ask is not None else "",
            )
            for one in sight.open
        )
        blocks.append(Table(("card", "agent", "since", "prompt", "asked"), rows))
    return tuple(blocks)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
