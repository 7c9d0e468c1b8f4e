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
    read = Position.read(position.text())
    assert (read.after, list(read.recent)) == (7, [Known(1, 7, 3)])


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
    "text", ["", "12", "{}", '{"after": "x", "recent": []}', '{"after": "1", "recent": ["1/2"]}']
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(SetupError, match="discord cannot be read"):
        Position.read(text)
