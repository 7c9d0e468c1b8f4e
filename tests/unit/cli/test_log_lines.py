"""The log as people read it: in words, and harmless to a terminal."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli.background import log_lines, readable
from bot.cli.output import visible
from bot.render.vitals import duration_text, part_line, status_blocks


def test_an_entry_becomes_a_sentence_with_its_facts() -> None:
    entry = {"at": "2030-01-02T03:04:05Z", "level": "info", "part": "api", "event": "up", "pid": 7}
    assert readable(json.dumps(entry)) == "03:04:05 info api: up pid=7"


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "[1]", "{", "null"])
def test_a_line_that_is_no_entry_stays_as_it_is(line: str) -> None:
    assert readable(line) == line


@given(st.text())
def test_no_control_character_survives(text: str) -> None:
    shown = visible(text)
    assert all(c.isprintable() or c == "\n" for c in shown)
    assert visible(shown) == shown


def test_a_log_is_read_from_where_a_start_began(tmp_path: Path) -> None:
    path = tmp_path / "mosaic.log"
    assert log_lines(path) == []
    path.write_bytes(b"before\n")
    start = path.stat().st_size
    path.write_bytes(b"before\nafter \xff\n\n")
    assert log_lines(path, start) == ["after \ufffd"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (61, "1 min 1 s"), (7260, "2 h 1 min"), (90_000, "1 d 1 h")],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_pause_is_told_with_who_and_why() -> None:
    paused = {"by": "local:1", "name": "ann", "reason": None, "since": "2030-01-02T03:04:05.678Z"}
    for said, told in (
        (paused, "by ann since 2030-01-02 03:04 UTC: no reason given"),
        (
            paused | {"reason": "leak", "freeze": True},
            "by ann since 2030-01-02 03:04 UTC: leak; freeze",
        ),
    ):
        fields, _ = status_blocks({"state": "running", "paused": said, "parts": {}})
        assert ("paused", told) in fields.pairs  # type: ignore[union-attr]


def test_a_part_is_one_line_with_a_mark() -> None:
    part = {"state": "retrying", "detail": "the homeserver is away"}
    assert part_line("matrix", part) == "↻ matrix           retrying  the homeserver is away"
