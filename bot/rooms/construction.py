"""Makes and repairs the rooms of an installation, from a plan that somebody has seen."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import structlog

from bot.errors import MosaicError, TransientError, UserError
from bot.model import Address
from bot.rooms.blueprint import Adopt, Blueprint, Make, Mend, Site, Step, draw
from bot.rooms.ports import KeptRoom, Purpose, RoomBook, RoomBuilder, RoomFacts, RoomRole, RoomWish
from bot.rooms.whereabouts import Whereabouts

_LONGEST_WAIT = timedelta(seconds=10)
"""A homeserver that limits how fast rooms are made is waited for so long, a few times."""

_TRIES = 3
_OUTSIDE = RoomFacts(inside=False)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ground:
    """A platform that rooms can be made on: its kind, the primary room there, and who makes them."""

    kind: str
    primary: str
    builder: RoomBuilder


@dataclass(frozen=True, slots=True)
class Built:
    """What became of a plan: the steps that are done, and each that is not with the reason."""

    done: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """One room as it stands; ``missing`` are sentences on what is not as it should be."""

    purpose: Purpose
    place: str | None
    facts: RoomFacts
    missing: tuple[str, ...]


class Construction:
    """Compares rooms with wishes, shows what is to be done, and does it when somebody says so.

    ``ground`` is the platform that is open now, None when there is none; ``wishes`` begin with the space.
    """

    def __init__(
        self,
        ground: Callable[[], Ground | None],
        book: RoomBook,
        whereabouts: Whereabouts,
        wishes: Callable[[], Sequence[RoomWish]],
    ) -> None:
        self._ground = ground
        self._book = book
        self._whereabouts = whereabouts
        self._wishes = wishes
        self._building = asyncio.Lock()
        self._log = structlog.get_logger(part="rooms")

    async def plan(self) -> Blueprint:
        """Return what is to be done now; UserError when no platform with rooms is open."""
        ground = self._open_ground()
        return draw(self._wishes(), await self._survey(ground))

    async def build(self, digest: str) -> Built:
        """Do what the plan of that digest says; UserError ``other_plan`` when it is another one by now.

        What is done stays done: after a failure a new plan holds only what is left.
        """
        ground = self._open_ground()
        async with self._building:
            site = await self._survey(ground)
            blueprint = draw(self._wishes(), site)
            if blueprint.digest != digest:
                raise UserError(
                    "the rooms are not as they were when this plan was shown",
                    code="other_plan",
                    hint="`room setup` shows the plan as it is now",
                )
            built = await self._carry_out(blueprint.steps, _Site(ground, site))
        await self._whereabouts.refresh()
        return built

    async def inspect(self) -> Sequence[Inspection]:
        """Return every room that is wished for or written down, and what is missing there."""
        ground = self._open_ground()
        wishes, site = self._wishes(), await self._survey(ground)
        found = [_inspect(wish, site) for wish in wishes]
        wished = {wish.purpose for wish in wishes}
        for purpose, place in site.kept.items():
            if purpose not in wished:
                why = "no setting asks for it any more"
                found.append(Inspection(purpose, place, site.facts[place], (why,)))
        return found

    # -- steps -----------------------------------------------------------------------------------------

    def _open_ground(self) -> Ground:
        ground = self._ground()
        if ground is None:
            raise UserError(
                "no platform where I can make rooms is open now",
                code="no_rooms",
                hint="connect Matrix first: docs/howto/matrix.md",
            )
        return ground

    async def _survey(self, ground: Ground) -> Site:
        kept = {
            room.purpose: room.place.place
            for room in await self._book.rooms()
            if room.place.kind == ground.kind
        }
        found = await ground.builder.found()
        places = {*kept.values(), *found.values(), ground.primary}
        facts = {place: await ground.builder.look(place) for place in sorted(places)}
        return Site(kept, found, ground.primary, facts)

    async def _carry_out(self, steps: Sequence[Step], site: "_Site") -> Built:
        done: list[str] = []
        failed: list[tuple[str, str]] = []
        for step in steps:
            try:
                await self._do(step, site)
            except MosaicError as error:
                self._log.warning("room step failed", step=step.sentence, error=error.message)
                failed.append((step.sentence, error.message))
                if isinstance(error, TransientError):
                    break
            else:
                self._log.info("room step done", step=step.sentence)
                done.append(step.sentence)
        return Built(tuple(done), tuple(failed))

    async def _do(self, step: Step, site: "_Site") -> None:
        match step:
            case Make(wish):
                space = site.places.get(Purpose(RoomRole.SPACE))
                place = await _patiently(lambda: site.ground.builder.make(wish, space))
                await self._keep(wish.purpose, place, site)
            case Adopt(purpose, place, _):
                await self._keep(purpose, place, site)
            case Mend(purpose, change, child):
                where = site.places.get(purpose)
                inner = None if child is None else site.places.get(child)
                if where is None or (child is not None and inner is None):
                    raise UserError("the room for it was not made")
                full = change if inner is None else replace(change, value=inner)
                await _patiently(lambda: site.ground.builder.mend(where, full))

    async def _keep(self, purpose: Purpose, place: str, site: "_Site") -> None:
        await self._book.keep(KeptRoom(Address(site.ground.kind, place), purpose))
        site.places[purpose] = place


class _Site:
    """The rooms by purpose while they are being made."""

    def __init__(self, ground: Ground, site: Site) -> None:
        self.ground = ground
        purposes = {*site.kept, *site.found, Purpose(RoomRole.OPS)}
        places: Mapping[Purpose, str | None] = {one: site.place(one) for one in purposes}
        self.places = {purpose: place for purpose, place in places.items() if place is not None}


async def _patiently(step: Callable[[], Awaitable[Result]]) -> Result:
    """Do a step, again when the platform says itself that it can soon."""
    for _ in range(_TRIES):
        try:
            return await step()
        except TransientError as error:
            if error.retry_after is None or error.retry_after > _LONGEST_WAIT:
                raise
            await asyncio.sleep(error.retry_after.total_seconds())
    return await step()


def _inspect(wish: RoomWish, site: Site) -> Inspection:
    place = site.place(wish.purpose)
    if place is None:
        left = wish.purpose in site.kept
        why = "I am not in it any more" if left else "it is not made yet"
        return Inspection(wish.purpose, site.kept.get(wish.purpose), _OUTSIDE, (why,))
    alone = draw((wish,), site)
    steps = [step.sentence for step in alone.steps]
    return Inspection(wish.purpose, place, site.facts[place], (*alone.obstacles, *steps))
