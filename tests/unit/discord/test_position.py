"""How far we have read on Discord."""

import pytest

from bot.errors import SetupError
from connectors.discord.position import Known, Position


def test_a_position_is_read_as_it_was_written() -> None:
    position = Position()
    position.pass_by(7)
    position.pass_by(5)
    position.keep(Known(1, 7, 3))
    position.keep(Known(1, 7, 3))
    assert Position.read(position.text()).floors is None
    assert position.settle((1, 2)) == []
    read = Position.read(position.text())
    assert (read.after, list(read.recent)) == (7, [Known(1, 7, 3)])
    assert read.floors == {1: 0, 2: 0}


def test_a_channel_that_is_added_or_added_again_begins_at_its_floor() -> None:
    position = Position.read('{"after":"9","recent":[]}')
    assert position.settle((1, 2)) == [], "an older version did not tell which there were"
    assert position.settle((2, 3)) == [3]
    position.begin(2, 5)
    position.begin(3, 7)
    assert [position.floor(one) for one in (2, 3)] == [0, 7]
    assert position.settle((1, 3)) == [1]


def test_the_beginning_is_before_everything() -> None:
    assert Position.read(None).after == 0


def test_only_the_newest_messages_are_kept() -> None:
    position = Position()
    for number in range(1, 200):
        position.keep(Known(1, number, 3))
    assert [one.message_id for one in position.recent] == list(range(150, 200))
    position.drop(199)
    assert position.recent[-1].message_id == 198
    assert len(position.text()) < 1500


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "{}",
        '{"after": "x", "recent": []}',
        '{"after": "1", "recent": ["1/2"]}',
        '{"after": "1", "recent": [], "floors": 3}',
    ],
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(SetupError, match="discord cannot be read"):
        Position.read(text)
