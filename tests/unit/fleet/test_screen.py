"""Screens as they are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.dogfood.canvas import ASKING, PROMPT, WORKING
from fleet.readers import read_screen
from fleet.tmux.screen import Screen, ScreenState, read_capture, read_styles, shows_end

RUNTIMES = ["dogfood", "python", "bash", "generic", "claude", "codex", "opencode", "pi", "gemini"]


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
    st.sampled_from([*RUNTIMES, "?"]),
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


def test_what_is_faint_is_blank_in_the_bright_rows_over_the_ends_of_rows() -> None:
    rows, bright = read_styles("a\x1b[2mb\nc\x1b[22md\x1b[38;2;2;2;2me\x1b[0;2mf\x1b[mg")
    assert rows == ("ab", "cdefg")
    assert bright == ("a ", " de g")


def test_a_colours_numbers_are_no_styles() -> None:
    assert read_styles("\x1b[48;5;2mx\x1b[38:5:2my")[1] == ("xy",)
