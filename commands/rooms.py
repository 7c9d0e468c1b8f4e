"""The rooms of an installation: what there should be, what there is, and making it so."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from bot.command.declare import OPERATORS, Call, Effect, Help, command, topic
from bot.reply import Block, Fields, Offer, Reply, Text
from bot.rooms.blueprint import Blueprint
from bot.rooms.construction import Built, Construction, Inspection

_GOOD_FOR = timedelta(minutes=10)


@topic("room")
class RoomCommands:
    """A space with rooms for the operators, for agents' mail and for each project (docs/howto/rooms.md)."""

    def __init__(self, construction: Construction) -> None:
        self._construction = construction

    @command("setup", roles=OPERATORS, effect=Effect.WRITE)
    async def setup(
        self,
        call: Call,
        *,
        plan: Annotated[
            str | None,
            Field(pattern=r"^[0-9a-f]{8}$"),
            Help("do the plan of this name; without it the plan is only shown"),
        ] = None,
    ) -> Reply:
        """Show what would be made or repaired, or do it.

        The first call changes nothing: it shows the plan and how to confirm it. A plan is good only while the rooms are
        as they were. What is as it should be is left alone, so it may be run again at any time.
        """
        if plan is not None:
            return _built(await self._construction.build(plan))
        blueprint = await self._construction.plan()
        return _shown(blueprint, call.caller.principal.id)

    @command("status", roles=OPERATORS)
    async def status(self, call: Call) -> Reply:
        """Show the rooms with their roles, and what is missing in each: membership, power, encryption."""
        found = await self._construction.inspect()
        blocks = tuple(block for one in found for block in _room_blocks(one))
        return Reply([_room_data(one) for one in found], blocks)


def _shown(blueprint: Blueprint, chooser: str) -> Reply:
    steps = [step.sentence for step in blueprint.steps]
    data: dict[str, Any] = {
        "plan": blueprint.digest if steps else None,
        "steps": steps,
        "obstacles": list(blueprint.obstacles),
    }
    blocks: list[Block] = []
    if steps:
        blocks.append(Text("This would be done:\n" + _lines(steps)))
    if blueprint.obstacles:
        blocks.append(Text("Only a person can change this:\n" + _lines(blueprint.obstacles)))
    if not steps:
        nothing = (
            "All rooms are as they should be." if not blueprint.obstacles else "Nothing to do."
        )
        return Reply(data, (Text(nothing), *blocks))
    line = f"room setup --plan {blueprint.digest}"
    blocks.append(Text(f"To do it, say `!{line}`."))
    offer = Offer("✅", line, "do it", _GOOD_FOR, chooser)
    return Reply(data, tuple(blocks), (offer,))


def _built(built: Built) -> Reply:
    data = {
        "done": list(built.done),
        "failed": [{"step": step, "reason": reason} for step, reason in built.failed],
    }
    blocks: list[Block] = []
    if built.done:
        blocks.append(Text("Done:\n" + _lines(built.done)))
    if built.failed:
        failed = [f"{step}: {reason}" for step, reason in built.failed]
        blocks.append(
            Text("Not done:\n" + _lines(failed) + "\nSay `!room setup` for what is left.")
        )
    return Reply(data, tuple(blocks) or (Text("There was nothing to do."),))


def _room_data(room: Inspection) -> dict[str, Any]:
    return {
        "role": room.purpose.role.value,
        "project": room.purpose.project or None,
        "room": room.place,
        "name": room.facts.name or None,
        "inside": room.facts.inside,
        "encrypted": room.facts.encrypted,
        "missing": list(room.missing),
    }


def _room_blocks(room: Inspection) -> tuple[Block, ...]:
    facts = room.facts
    how = "encrypted" if facts.encrypted else "not encrypted"
    pairs = [(str(room.purpose), facts.name or room.place or "no room")]
    if room.place is not None:
        pairs.append(("room", room.place))
    if facts.inside:
        pairs.append(("is", f"{how}, {len(facts.people)} people"))
    pairs.append(("missing", "; ".join(room.missing) or "nothing"))
    return (Fields(tuple(pairs)),)


def _lines(words: Any) -> str:
    return "\n".join(f"• {word}" for word in words)
