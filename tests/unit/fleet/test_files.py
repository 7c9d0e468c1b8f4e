"""What the fleet writes and reads back: environments, events, private files."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.launch.launcher import read_environment, read_local_environment, write_environment
from fleet.private_files import write_private
from fleet.turns.events import read_events, read_offset

ID = "0123456789abcdef"
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,10}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")))


def event(**fields: str) -> str:
    text = f"[from a → to b | class chat | id {ID}]\nbody"
    said = {"event": "submitted", "session_id": "s", "text": text}
    return json.dumps(said | fields) + "\n"


@given(st.dictionaries(NAMES, VALUES))
def test_an_environment_file_reads_back_as_it_was_written(values: dict[str, str]) -> None:
    assert read_environment(write_environment(values)) == values


def test_a_wrong_line_in_an_environment_file_is_named_without_its_content() -> None:
    with pytest.raises(ValueError, match="2: not NAME") as caught:
        read_environment('A="1"\nTOKEN s3cret\n')
    assert "s3cret" not in str(caught.value)


def test_a_persons_lines_may_be_quoted_as_in_a_shell() -> None:
    text = "# mine\nA=plain\nB='two words'\n\nC=\"a \\\\ b\"\nD=\n"
    assert read_environment(text) == {"A": "plain", "B": "two words", "C": "a \\ b", "D": ""}


@pytest.mark.parametrize("name", ["MOSAIC_HOME", "MOSAIC_AGENT_NAME", "MOSAIC_AGENT_FILE"])
def test_who_an_agent_is_cannot_be_set_by_hand(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.local.env"
    assert read_local_environment(path) == {}
    path.write_text(f"A=1\n{name}=s3cret\n")
    with pytest.raises(ValueError, match=rf"a.local.env:2: {name} cannot be set here"):
        read_local_environment(path)


def test_a_private_file_is_never_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_events_are_read_from_an_offset_and_only_whole_lines_count(tmp_path: Path) -> None:
    path = tmp_path / "events"
    assert read_events(path, 7).end == 0
    first, second = event(), event(event="turn_ended", answer="yes")
    path.write_text(first + "no event\n" + second + '{"event": "subm')
    stretch = read_events(path, 0)
    assert [(one.event, one.message_ids, one.answer) for one in stretch.events] == [
        ("submitted", (ID,), ""),
        ("turn_ended", (ID,), "yes"),
    ]
    assert stretch.end == len((first + "no event\n" + second).encode())
    again = read_events(path, stretch.events[0].end)
    assert [one.event for one in again.events] == ["turn_ended"]
    path.write_text(first)
    assert len(read_events(path, stretch.end).events) == 1


def test_no_line_stops_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "events"
    wrong = [b"\xff\xfe", b"[]", b"null", b"{}", b'{"event": 1}', b"\r", b"[" * 20000]
    path.write_bytes(b"\n".join([*wrong, event().encode()]))
    assert [one.message_ids for one in read_events(path, 0).events] == [(ID,)]


def test_a_kept_offset_that_is_no_number_is_the_start(tmp_path: Path) -> None:
    path = tmp_path / "offset"
    assert read_offset(path) == 0
    path.write_text("12")
    assert read_offset(path) == 12
    path.write_text("many")
    assert read_offset(path) == 0
