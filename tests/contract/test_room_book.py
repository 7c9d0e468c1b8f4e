"""The port RoomBook, for every implementation."""

from bot.model import Address
from bot.rooms.ports import KeptRoom, Purpose, RoomRole
from tests.stages.mailroom import Mailroom

SPACE, MAIL = Purpose(RoomRole.SPACE), Purpose(RoomRole.MAIL)
WEB, API = Purpose(RoomRole.PROJECT, "web"), Purpose(RoomRole.PROJECT, "api")


def room(name: str, purpose: Purpose, kind: str = "matrix") -> KeptRoom:
    return KeptRoom(Address(kind, f"!{name}:e.org"), purpose)


async def test_rooms_come_back_with_their_purposes_in_order(mailroom: Mailroom) -> None:
    kept = [room("w", WEB), room("m", MAIL), room("a", API), room("s", SPACE)]
    for one in kept:
        await mailroom.rooms.keep(one)
        await mailroom.rooms.keep(one)
    assert list(await mailroom.rooms.rooms()) == [kept[3], kept[1], kept[2], kept[0]]


async def test_a_purpose_has_one_room_a_platform_and_a_room_one_purpose(mailroom: Mailroom) -> None:
    await mailroom.rooms.keep(room("old", MAIL))
    await mailroom.rooms.keep(room("other", MAIL, "memory"))
    await mailroom.rooms.keep(room("new", MAIL))
    assert list(await mailroom.rooms.rooms()) == [room("new", MAIL), room("other", MAIL, "memory")]
    await mailroom.rooms.keep(room("new", WEB))
    assert room("new", MAIL) not in await mailroom.rooms.rooms()


async def test_a_forgotten_room_is_gone_and_forgetting_again_is_no_matter(
    mailroom: Mailroom,
) -> None:
    await mailroom.rooms.keep(room("m", MAIL))
    for _ in range(2):
        await mailroom.rooms.forget(room("m", MAIL).place)
    assert list(await mailroom.rooms.rooms()) == []
