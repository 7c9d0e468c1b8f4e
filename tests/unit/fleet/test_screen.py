"""Screens as they are read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.dogfood import ASKING, PROMPT, WORKING
from fleet.screen import Screen, ScreenState, read_capture, read_screen, shows_end

CAPTURES = Path(__file__).with_name("captures")


def screen(*rows: str, x: int | None = None, command: str = "python") -> Screen:
    last = len(rows) - 1
    return Screen(rows, len(rows[last]) if x is None else x, last, command=command)


@pytest.mark.parametrize(
    ("row", "state", "tail"),
    [
        (PROMPT.rstrip(), ScreenState.PROMPT, None),
        (f"{PROMPT}half a thought", ScreenState.DRAFT, "half a thought"),
        (f"{WORKING}working", ScreenState.BUSY, None),
        (f"{WORKING}working · 2 queued", ScreenState.QUEUED, None),
        ("a line of something else", ScreenState.UNKNOWN, None),
        ("", ScreenState.UNKNOWN, None),
    ],
)
def test_dogfoods_row_at_the_cursor_decides(row: str, state: ScreenState, tail: str | None) -> None:
    reading = read_screen("dogfood", screen("before", row))
    assert (reading.state, reading.draft_tail) == (state, tail)


def test_an_open_dialog_is_named() -> None:
    rows = ("┌─ Permission ───", "│ Run it?", "└──", ASKING.rstrip())
    reading = read_screen("dogfood", screen(*rows))
    assert (reading.state, reading.dialog) == (ScreenState.BLOCKED, "Permission")


def test_an_old_prompt_above_the_cursor_is_no_prompt() -> None:
    assert read_screen("dogfood", screen(PROMPT, "output")).state is ScreenState.UNKNOWN


def test_a_shell_in_front_means_that_the_runtime_has_ended() -> None:
    seen = screen(PROMPT.rstrip(), command="bash")
    assert read_screen("dogfood", seen).state is ScreenState.DEAD


@pytest.mark.parametrize(
    ("runtime", "capture", "state"),
    [
        ("bash", "bash_repl", ScreenState.PROMPT),
        ("claude", "bash_repl", ScreenState.DEAD),
        ("claude", "claude_copymode", ScreenState.COPY_MODE),
        ("generic", "dead_pane", ScreenState.DEAD),
        ("no-such-runtime", "dead_pane", ScreenState.DEAD),
        ("generic", "claude_prompt", ScreenState.PROMPT),
    ],
)
def test_captured_screens_are_read(runtime: str, capture: str, state: ScreenState) -> None:
    text = (CAPTURES / f"{capture}.ansi").read_text()
    meta = (CAPTURES / f"{capture}.meta").read_text()
    assert read_screen(runtime, read_capture(text, meta)).state is state


@pytest.mark.parametrize(
    ("runtime", "row", "state"),
    [
        ("python", ">>>", ScreenState.PROMPT),
        ("python", ">>> print(1", ScreenState.DRAFT),
        ("python", "12%", ScreenState.BUSY),
        ("bash", "ann@host:~$", ScreenState.PROMPT),
        ("bash", "ann@host:~$ ls", ScreenState.DRAFT),
        ("bash", "compiling", ScreenState.BUSY),
        ("generic", "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}", ScreenState.PROMPT),
        ("generic", "│ > some words │", ScreenState.DRAFT),
        ("generic", "Do you agree? (y/n)", ScreenState.UNKNOWN),
    ],
)
def test_other_programs_are_read_by_their_cursor_row(
    runtime: str, row: str, state: ScreenState
) -> None:
    assert read_screen(runtime, screen(row, command="x")).state is state


def test_our_own_end_is_recognised_however_it_is_wrapped() -> None:
    mark = "[end 0123456789abcdef]"
    assert shows_end(screen(f"> body⏎{mark}"), mark)
    assert shows_end(screen("> body [end 0123", "  456789abcdef]"), mark)
    assert shows_end(screen(f"{PROMPT}…9abcdef]"), mark)
    assert shows_end(screen("> Z" + "\u0301" * 12 + mark, x=25), mark)
    assert shows_end(screen(f"> \u5bbd\u5bbd{mark}   \u2502", x=28), mark)
    assert shows_end(screen(f"> \U0001f469\u200d\U0001f467{mark}", x=26), mark)
    assert not shows_end(screen(f"{mark} and more"), mark)
    assert not shows_end(screen("> body"), mark)
    assert not shows_end(screen(f"> {mark}", x=5), mark)


@given(
    st.sampled_from(["dogfood", "python", "bash", "generic", "claude", "?"]),
    st.lists(st.text(max_size=40), max_size=5),
    st.integers(0, 200),
    st.integers(0, 60),
    st.text(max_size=10),
)
def test_any_screen_is_read(runtime: str, rows: list[str], x: int, y: int, command: str) -> None:
    assert read_screen(runtime, Screen(rows, x, y, command=command)).state in ScreenState


def test_a_capture_without_meta_has_its_cursor_at_the_end() -> None:
    seen = read_capture("one\n\x1b[1m>>>\x1b[0m \n\n", None)
    assert read_screen("python", seen).state is ScreenState.PROMPT
