"""Who may do what in a room, also where whoever made it stands in no list."""

from typing import Any

import pytest

from connectors.matrix.answers import RoomEvent
from connectors.matrix.powers import ALL, read_powers

BOT, ANN = "@bot:e.org", "@ann:e.org"


def state(levels: dict[str, Any] | None, **create: Any) -> dict[tuple[str, str], RoomEvent]:
    events = {"m.room.create": {"room_version": "11", **create}}
    if levels is not None:
        events["m.room.power_levels"] = levels
    return {
        (kind, ""): RoomEvent(event_id="$e", sender=BOT, type=kind, content=content, state_key="")
        for kind, content in events.items()
    }


def test_powers_are_what_the_list_says_with_the_specification_s_defaults() -> None:
    levels = {"users": {ANN: 100, BOT: 50}, "events": {"m.room.encryption": 100}, "invite": 60}
    powers = read_powers(state(levels))
    assert powers.powerful() == {ANN}
    assert powers.lacks(BOT) == {"encryption", "invite"}
    assert powers.lacks("@eve:e.org") >= {"name", "topic", "pin", "invite"}
    assert powers.lacks(ANN) == frozenset()


def test_since_room_version_12_whoever_made_the_room_has_every_power() -> None:
    made = state({"users": {ANN: 100}}, room_version="12", additional_creators=["@co:e.org"])
    powers = read_powers(made)
    assert powers.lacks(BOT) == frozenset()
    assert powers.powerful() == {BOT, ANN, "@co:e.org"}
    assert BOT not in powers.with_all("@eve:e.org")["users"]
    assert read_powers(state({"users": {ANN: 100}})).lacks(BOT) != frozenset()


def test_a_room_without_a_list_is_its_maker_s() -> None:
    powers = read_powers(state(None))
    assert (powers.lacks(BOT), powers.level_of(ANN)) == (frozenset(), 0)


@pytest.mark.parametrize("levels", [{"users": []}, {"users": {BOT: "100"}}, {"users": {BOT: True}}])
def test_an_odd_list_gives_no_power(levels: dict[str, Any]) -> None:
    powers = read_powers(state({**levels, "events": "x", "users_default": None}))
    assert "pin" in powers.lacks(BOT)
    assert powers.with_all(ANN)["users"][ANN] == ALL


def test_giving_power_keeps_everybody_else_s() -> None:
    levels = {"users": {BOT: 100, ANN: 50}, "ban": 70}
    assert read_powers(state(levels)).with_all(ANN) == {"users": {BOT: 100, ANN: 100}, "ban": 70}
