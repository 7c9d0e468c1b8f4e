"""What is kept beside the keys: unread events, and the places of chains that were read."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import SetupError
from connectors.matrix.crypto.replays import Replays
from connectors.matrix.crypto.shelf import Shelf, Unread

NOW = timedelta()
LATER = timedelta(hours=1)


def _unread(number: int, session_id: str = "s", *, may_come: bool = True) -> Unread:
    event = {"event_id": f"${number}", "content": {}} if may_come else None
    return Unread(f"${number}", "!room", "@ann:x", session_id, "its key has not come", event)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_events_wait_by_their_key_in_the_order_in_which_they_came(shelf: Shelf) -> None:
    for number in (3, 1, 2, 1):
        shelf.keep(_unread(number))
    shelf.keep(_unread(4, "other"))
    shelf.keep(_unread(5, may_come=False))
    assert sorted(shelf.waiting()) == [("!room", "other"), ("!room", "s")]
    assert [one.event_id for one in shelf.of("!room", "s")] == ["$3", "$1", "$2"]
    assert shelf.count() == 4
    shelf.drop(["$3", "$1"])
    assert [one.event_id for one in shelf.of("!room", "s")] == ["$2"]


def test_people_are_told_of_one_event_for_a_key_once_and_only_after_their_patience(
    shelf: Shelf, tmp_path: Path
) -> None:
    for number in range(3):
        shelf.keep(_unread(number))
    assert shelf.due(LATER) == []
    due = shelf.due(NOW)
    assert [one.event_id for one in due] == ["$0"]
    assert shelf.due(NOW) == due, "until somebody was told"
    shelf.note_told(due)
    assert shelf.due(NOW) == []
    shelf.close()
    again = Shelf(tmp_path)
    again.keep(_unread(9))
    assert again.due(NOW) == []


def test_a_flood_of_keys_that_are_missing_is_told_once_and_another_reason_for_itself(
    shelf: Shelf,
) -> None:
    for number in range(100):
        shelf.keep(_unread(number, f"session {number}"))
    due = shelf.due(NOW)
    assert [one.event_id for one in due] == ["$0"]
    shelf.note_told(due)
    shelf.keep(_unread(100, "one more"))
    assert shelf.due(NOW) == []
    shelf.keep(Unread("$101", "!room", "@ann:x", "", "it was not encrypted"))
    shelf.keep(Unread("$102", "!room", "@bob:x", "s", "its key has not come", {}))
    assert [one.event_id for one in shelf.due(NOW)] == ["$101", "$102"]


def test_what_never_will_be_read_is_told_at_once_and_waits_for_nothing(shelf: Shelf) -> None:
    shelf.keep(_unread(1))
    shelf.keep(Unread("$1", "!room", "@ann:x", "s", "it is blocked"))
    [due] = shelf.due(LATER)
    assert (due.why, due.event) == ("it is blocked", None)
    assert (shelf.count(), shelf.waiting()) == (0, [])


def test_a_place_of_a_chain_belongs_to_one_event_for_good(tmp_path: Path) -> None:
    replays = Replays(tmp_path)
    assert replays.is_first("chain", 0, "$a")
    assert replays.is_first("chain", 1, "$b")
    assert replays.is_first("other", 0, "$c")
    replays.close()
    again = Replays(tmp_path)
    assert again.is_first("chain", 0, "$a"), "the same event again is no forgery"
    assert not again.is_first("chain", 0, "$d")
    assert again.heard_at("device") is None
    again.note_heard("device")
    heard = again.heard_at("device")
    assert heard is not None
    assert heard.tzinfo is not None


def test_a_file_that_is_no_database_is_a_set_up_matter(tmp_path: Path) -> None:
    (tmp_path / "unread.db").write_text("x" * 4096)
    with pytest.raises(SetupError, match=r"unread\.db cannot be used"):
        Shelf(tmp_path)
