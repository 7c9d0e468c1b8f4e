"""Rooms are compared with wishes, made from a plan that was seen, and repaired by the next one."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import TransientError, UserError
from bot.model import Address
from bot.rooms.blueprint import wishes
from bot.rooms.construction import Construction, Ground
from bot.rooms.ports import KeptRoom, Purpose, RoomFacts, RoomRole, RoomWish
from bot.rooms.whereabouts import Whereabouts
from tests.fakes.rooms import MemoryHouse, MemoryRoomBook

ANN = "@ann:e.org"
OPS = "!ops:e.org"
SPACE, MAIL = Purpose(RoomRole.SPACE), Purpose(RoomRole.MAIL)
OPS_ROOM, WEB = Purpose(RoomRole.OPS), Purpose(RoomRole.PROJECT, "web")


class Site:
    """An installation whose primary room somebody else made; ``lacks`` is what we may not do there."""

    def __init__(self, lacks: frozenset[str] = frozenset()) -> None:
        self.house = MemoryHouse()
        self.house.facts[OPS] = RoomFacts(
            inside=True, name="our ops", people=frozenset({ANN, "@bot:e.org"}), lacks=lacks
        )
        self.book = MemoryRoomBook()
        self.whereabouts = Whereabouts(self.book, {"web": Path("/srv/web")})
        self.open = True
        self.encrypted = False
        self.construction = Construction(self._ground, self.book, self.whereabouts, self._wishes)

    def _ground(self) -> Ground | None:
        return Ground("matrix", OPS, self.house) if self.open else None

    def _wishes(self) -> tuple[RoomWish, ...]:
        projects = self.whereabouts.projects
        return tuple(wishes("Fleet", projects, (ANN,), "", encrypted=self.encrypted))

    async def set_up(self) -> None:
        plan = await self.construction.plan()
        built = await self.construction.build(plan.digest)
        assert built.failed == ()

    async def kept(self) -> dict[Purpose, str]:
        return {room.purpose: room.place.place for room in await self.book.rooms()}


async def test_a_plan_changes_nothing_and_says_every_step() -> None:
    site = Site()
    plan = await site.construction.plan()
    assert [step.sentence for step in plan.steps] == [
        "make the space “Fleet” (space), and invite @ann:e.org",
        "use our ops as the room for ops",
        "set the topic of the room for ops",
        "put the room for ops into the space",
        "make the room “Fleet · agents' mail” (mail), and invite @ann:e.org",
        "put the room for mail into the space",
        "make the room “Fleet · web” (project web), and invite @ann:e.org",
        "put the room for project web into the space",
    ]
    assert (site.house.made, await site.kept()) == (0, {})
    assert (await site.construction.plan()).digest == plan.digest


async def test_what_was_planned_is_built_and_then_there_is_nothing_to_do() -> None:
    site = Site()
    await site.set_up()
    kept = await site.kept()
    assert kept.keys() == {SPACE, OPS_ROOM, MAIL, WEB}
    assert kept[OPS_ROOM] == OPS
    assert site.house.facts[kept[SPACE]].children == {OPS, kept[MAIL], kept[WEB]}
    assert site.house.facts[OPS].name == "our ops"
    assert (await site.construction.plan()).steps == ()
    assert site.whereabouts.room(RoomRole.MAIL) == Address("matrix", kept[MAIL])
    assert [one.missing for one in await site.construction.inspect()] == [()] * 4


async def test_a_plan_of_yesterday_is_not_carried_out() -> None:
    site = Site()
    plan = await site.construction.plan()
    site.house.facts[OPS] = replace(site.house.facts[OPS], topic="changed")
    with pytest.raises(UserError) as refusal:
        await site.construction.build(plan.digest)
    assert refusal.value.code == "other_plan"
    assert site.house.made == 0


async def test_what_was_made_before_a_crash_is_found_and_not_made_twice() -> None:
    site = Site()
    await site.set_up()
    kept = await site.kept()
    site.book = MemoryRoomBook()  # all that was written down is lost
    site.construction = Construction(site._ground, site.book, site.whereabouts, site._wishes)
    plan = await site.construction.plan()
    assert len(plan.steps) == 4
    assert all(step.sentence.startswith("use ") for step in plan.steps)
    await site.set_up()
    assert await site.kept() == kept
    assert site.house.made == 3


async def test_a_second_plan_repairs_what_people_undid() -> None:
    site = Site()
    await site.set_up()
    kept = await site.kept()
    facts = site.house.facts
    facts[kept[MAIL]] = replace(
        facts[kept[MAIL]], people=frozenset(), powerful=frozenset(), topic=""
    )
    facts[kept[SPACE]] = replace(facts[kept[SPACE]], children=frozenset({OPS, kept[MAIL]}))
    facts[kept[WEB]] = replace(facts[kept[WEB]], inside=False)
    missing = {one.purpose: one.missing for one in await site.construction.inspect()}
    assert missing[WEB] == ("I am not in it any more",)
    assert len(missing[MAIL]) == 3
    await site.set_up()
    again = await site.kept()
    assert again[WEB] != kept[WEB]
    assert again[MAIL] == kept[MAIL]
    assert site.house.facts[kept[MAIL]].people == {ANN}
    assert (await site.construction.plan()).steps == ()


async def test_what_we_have_no_power_for_is_no_step_but_said() -> None:
    site = Site(lacks=frozenset({"name", "topic", "pin", "invite", "power"}))
    plan = await site.construction.plan()
    assert "set the topic of the room for ops" not in [step.sentence for step in plan.steps]
    assert plan.obstacles == ("I have no power for invite, pin in the room for ops",)


async def test_a_primary_room_that_we_are_not_in_is_an_obstacle_and_the_rest_is_made() -> None:
    site = Site()
    del site.house.facts[OPS]
    plan = await site.construction.plan()
    assert plan.obstacles == (f"I am not in {OPS}, the room for ops: invite me there",)
    await site.set_up()
    assert (await site.kept()).keys() == {SPACE, MAIL, WEB}


async def test_encryption_is_turned_on_in_rooms_that_we_made_and_never_in_a_space() -> None:
    site = Site()
    await site.set_up()
    site.encrypted = True
    steps = [step.sentence for step in (await site.construction.plan()).steps]
    assert steps == [
        f"turn encryption on in the room for {purpose}, for ever"
        for purpose in ("mail", "project web")
    ]
    await site.set_up()
    assert not site.house.facts[(await site.kept())[SPACE]].encrypted
    assert not site.house.facts[OPS].encrypted


async def test_a_limit_is_waited_out_and_an_outage_leaves_the_rest_to_another_plan() -> None:
    site = Site()
    site.house.away = [TransientError("slow down", retry_after=timedelta(milliseconds=1))]
    await site.set_up()
    site = Site()
    plan = await site.construction.plan()
    site.house.away = [TransientError("the homeserver is away")]
    built = await site.construction.build(plan.digest)
    assert (built.done, [reason for _, reason in built.failed]) == ((), ["the homeserver is away"])
    await site.set_up()
    assert site.house.made == 3


async def test_without_a_platform_that_has_rooms_that_is_said() -> None:
    site = Site()
    site.open = False
    for asked in (site.construction.plan, site.construction.inspect):
        with pytest.raises(UserError) as refusal:
            await asked()
        assert refusal.value.code == "no_rooms"


async def test_a_room_that_no_setting_asks_for_any_more_is_shown() -> None:
    site = Site()
    await site.set_up()
    site.whereabouts.projects.clear()
    found = {one.purpose: one.missing for one in await site.construction.inspect()}
    assert found[WEB] == ("no setting asks for it any more",)
    assert (await site.construction.plan()).steps == ()


async def test_whereabouts_know_rooms_and_projects() -> None:
    book = MemoryRoomBook()
    projects = {"web": Path("/srv/web"), "api": Path("/srv/web/api")}
    whereabouts = Whereabouts(book, projects)
    assert whereabouts.lanes() == frozenset()
    for name, purpose in (("s", SPACE), ("m", MAIL), ("w", WEB)):
        await book.keep(KeptRoom(Address("matrix", name), purpose))
    await whereabouts.refresh()
    assert whereabouts.lanes() == {"matrix:m", "matrix:w"}
    assert whereabouts.room_for(Path("/srv/web")) == Address("matrix", "w")
    assert whereabouts.room_for(Path("/srv/web/src")) == Address("matrix", "w")
    assert whereabouts.project_of(Path("/srv/web/api/src")) == "api"
    assert whereabouts.room_for(Path("/srv/web/api")) is None
    assert whereabouts.room_for(Path("/srv/website")) is None
