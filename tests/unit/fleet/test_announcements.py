"""What is said of a dialog, and which keys are offered."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.reply import Code
from fleet.tmux.screen import read_capture
from fleet.watch.announcements import Dialog, announcement, fingerprint, keys, offers

CAPTURES = Path(__file__).with_name("captures")
DRILL = (
    "a word before",
    "┌─ Permission ─────",
    "│ Run the drill's command?   ",
    "│   y yes     n no",
    "└──────────────────",
    "",
    "dogfood ? ",
)
SEEN_AT = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


def captured(name: str) -> tuple[str, ...]:
    meta = (CAPTURES / f"{name}.meta").read_text()
    return tuple(read_capture((CAPTURES / f"{name}.ansi").read_text(), meta).rows)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("claude_permission_dialog", ("1", "2", "3", "4", "enter", "escape")),
        ("claude_start", ("up", "down", "enter", "escape")),
        ("codex_permission_dialog", ("1", "2", "3", "enter", "escape")),
        ("gemini_start", ("1", "2", "3", "enter", "escape")),
        ("gemini_permission_blindtext", ("1", "2", "3", "enter", "escape")),
    ],
)
def test_a_programs_numbered_choices_are_offered(name: str, expected: tuple[str, ...]) -> None:
    assert keys(captured(name)) == expected


def test_yes_and_no_are_offered_where_they_are_asked_for() -> None:
    assert keys(DRILL) == ("y", "n", "enter", "escape")
    assert keys(("Overwrite? [y/N] ",)) == ("y", "n", "enter", "escape")
    assert keys(("Why not try it yes or no",)) == ("up", "down", "enter", "escape")


def test_of_two_lists_the_last_one_counts() -> None:
    rows = ("1. read the file", "2. change it", "3. done", "", "│ 1. Yes", "  2) No", "  4. later")
    assert keys(rows) == ("1", "2", "enter", "escape")


def test_a_key_is_offered_for_this_very_dialog() -> None:
    dialog = Dialog("coder0", "Permission", DRILL, SEEN_AT)
    seen = fingerprint("Permission", DRILL)
    first, *_ = made = offers(dialog)
    assert (first.mark, first.says) == ("👍", "press y")
    assert first.line == f"agent answer coder0 y --dialog {seen}"
    assert len({offer.mark for offer in made}) == len(made) == 5
    assert (made[-1].line, made[-1].is_form) == ("agent answer coder0", True)
    assert all(offer.chooser is None for offer in made)


def test_what_is_blank_does_not_tell_dialogs_apart_and_all_else_does() -> None:
    seen = fingerprint("Permission", DRILL)
    assert fingerprint("Permission", tuple(row.rstrip() for row in (*DRILL, "", "   "))) == seen
    assert fingerprint("Trust", DRILL) != seen
    for at, row in enumerate(DRILL):
        other = (*DRILL[:at], f"{row.rstrip()}!", *DRILL[at + 1 :])
        assert fingerprint("Permission", other) != seen


def test_a_blinking_mark_makes_no_other_dialog_and_a_moved_choice_does() -> None:
    claude = captured("claude_permission_dialog")
    codex = captured("codex_permission_dialog")
    blinked = [row.replace("\u23fa", " ") for row in claude]
    assert fingerprint("x", blinked) == fingerprint("x", claude)
    assert fingerprint("x", [row.replace("\u2022 Running", "\u25e6 Running") for row in codex]) == (
        fingerprint("x", codex)
    )
    moved = [
        row.replace("\u276f 1. Yes", "  1. Yes").replace("  4.", "\u276f 4.") for row in claude
    ]
    assert moved != list(claude)
    assert fingerprint("x", moved) != fingerprint("x", claude)


def test_the_announcement_shows_the_screen_and_says_how_to_answer_by_hand() -> None:
    said, screen, how = announcement(Dialog("coder0", "Permission", DRILL, SEEN_AT))
    assert said.text == "coder0 waits at a dialog since 10:00:00 UTC: Permission"
    assert "│ Run the drill's command?\n" in str(getattr(screen, "text", ""))
    assert "!agent answer coder0 KEY" in str(getattr(how, "source", ""))


def test_a_claims_token_is_not_shown_with_a_dialog() -> None:
    rows = ("mosaic backlog complete --id A7 --token 0123456789abcdef", "Allow it? y / n")
    dialog = Dialog("coder0", "Permission", rows, datetime(2026, 11, 25, tzinfo=UTC))
    screen = announcement(dialog)[1]
    assert isinstance(screen, Code)
    assert screen.text.startswith("mosaic backlog complete --id A7 --token (hidden)\n")
