"""The ports RoomBuilder and Pins: one suite, in memory and on a real Synapse."""

from collections.abc import AsyncIterator

import pytest

from bot.errors import UserError
from bot.rooms.ports import Change, ChangeKind, Purpose, RoomFacts, RoomRole, RoomWish
from tests.fakes.rooms import MemoryHouse
from tests.stages.house import House, MatrixHouseStage, MemoryHouseStage
from tests.stages.matrix import meet
from tests.stages.synapse import Town

SPACE = Purpose(RoomRole.SPACE)
MAIL = Purpose(RoomRole.MAIL)
WEB = Purpose(RoomRole.PROJECT, "web")


def wish(house: House, purpose: Purpose = MAIL, *, encrypted: bool = False) -> RoomWish:
    return RoomWish(
        purpose, f"the {purpose} room", "what it is for", (house.ann,), "mxc://e.org/a", encrypted
    )


class RoomsContract:
    """Inherit, and give a fixture ``house``."""

    async def test_a_room_is_made_as_it_is_wished_for(self, house: House) -> None:
        space = await house.builder.make(wish(house, SPACE), None)
        place = await house.builder.make(wish(house), space)
        facts = await house.builder.look(place)
        assert (
            facts.inside,
            facts.ours,
            facts.name,
            facts.topic,
            facts.avatar,
            facts.encrypted,
        ) == ((True, True, "the mail room", "what it is for", "mxc://e.org/a", False))
        assert facts.people == {house.me, house.ann}
        assert facts.powerful == {house.me, house.ann}
        assert facts.lacks == frozenset()
        assert await house.enter(place)

    async def test_an_encrypted_room_is_so_from_its_beginning(self, house: House) -> None:
        place = await house.builder.make(wish(house, encrypted=True), None)
        assert (await house.builder.look(place)).encrypted

    async def test_a_room_is_found_again_by_what_it_is_for(self, house: House) -> None:
        made = {one: await house.builder.make(wish(house, one), None) for one in (SPACE, MAIL, WEB)}
        assert await house.builder.found() == made
        await house.leave(made[MAIL])
        assert MAIL not in await house.builder.found()

    async def test_a_room_that_we_left_or_never_were_in_is_one_that_we_are_outside_of(
        self, house: House
    ) -> None:
        place = await house.builder.make(wish(house), None)
        await house.leave(place)
        for outside in (place, "!nowhere:e.org"):
            assert not (await house.builder.look(outside)).inside

    async def test_a_room_of_somebody_else_says_what_we_have_no_power_for(
        self, house: House
    ) -> None:
        facts = await house.builder.look(house.hers)
        assert (facts.inside, facts.ours) == (True, False)
        assert facts.people == {house.me, house.ann}
        assert facts.powerful == {house.ann}
        assert facts.lacks >= {"name", "topic", "avatar", "pin", "power", "encryption"}
        assert "invite" not in facts.lacks

    async def test_every_change_can_be_made_and_repeated(self, house: House) -> None:
        alone = RoomWish(MAIL, "old", "")
        place = await house.builder.make(alone, None)
        space = await house.builder.make(wish(house, SPACE), None)
        changes = [
            Change(ChangeKind.NAME, "new"),
            Change(ChangeKind.TOPIC, "a topic"),
            Change(ChangeKind.AVATAR, "mxc://e.org/b"),
            Change(ChangeKind.INVITE, house.ann),
            Change(ChangeKind.POWER, house.ann),
            Change(ChangeKind.ENCRYPT),
        ]
        for change in (*changes, *changes):
            await house.builder.mend(place, change)
        for _ in range(2):
            await house.builder.mend(space, Change(ChangeKind.CHILD, place))
        facts = await house.builder.look(place)
        assert (facts.name, facts.topic, facts.avatar) == ("new", "a topic", "mxc://e.org/b")
        assert (house.ann in facts.people, house.ann in facts.powerful) == (True, True)
        assert facts.encrypted
        assert (await house.builder.look(space)).children == {place}
        assert facts != RoomFacts(inside=True)

    async def test_a_pin_keeps_others_pins_and_takes_a_former_one_s_place(
        self, house: House
    ) -> None:
        place = await house.builder.make(wish(house), None)
        await house.enter(place)
        first = await house.say(place, "first")
        hers = await house.say(place, "hers")
        await house.pins.pin(place, first, None)
        await house.pin_hers(place, hers)
        for _ in range(2):
            await house.pins.pin(place, first, None)
        assert list(await house.pinned(place)) == [first, hers]
        second = await house.say(place, "second")
        await house.pins.pin(place, second, first)
        assert list(await house.pinned(place)) == [second, hers]

    async def test_without_the_power_nothing_is_pinned_and_no_topic_set(self, house: House) -> None:
        said = await house.say(house.hers, "here")
        with pytest.raises(UserError):
            await house.pins.pin(house.hers, said, None)
        with pytest.raises(UserError):
            await house.pins.set_topic(house.hers, "mine")
        assert list(await house.pinned(house.hers)) == []

    async def test_what_was_withdrawn_does_not_stand_any_more(self, house: House) -> None:
        place = await house.builder.make(wish(house), None)
        said = await house.say(place, "here")
        assert await house.pins.stands(place, said)
        await house.withdraw(place, said)
        assert not await house.pins.stands(place, said)


class TestMemoryRooms(RoomsContract):
    @pytest.fixture
    async def house(self) -> House:
        return MemoryHouseStage(MemoryHouse())


class TestMatrixRooms(RoomsContract):
    @pytest.fixture
    async def house(self, matrix_town: Town) -> AsyncIterator[House]:
        ann, bot = await meet(matrix_town)
        hers = await ann.make_room(bot.user_id)
        await matrix_town.client(bot.account).client.join(hers)
        stage = MatrixHouseStage(ann, bot, hers)
        yield stage
        await stage.close()
