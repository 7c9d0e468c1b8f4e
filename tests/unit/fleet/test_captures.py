"""Screens of the real programs, captured in 120 columns: what each is read as, with styles and without."""

from pathlib import Path

import pytest

from fleet.readers import read_screen
from fleet.tmux.screen import Reading, ScreenState, read_capture, read_styles

CAPTURES = Path(__file__).with_name("captures")
PROGRAMS = {"gem": "gemini", "oc": "opencode", "dead": "claude"}
READ_AS = {
    ScreenState.PROMPT: (
        "bash_repl claude_after_queue claude_paste25_sent claude_permission_blindsend "
        "claude_prompt codex_after_cli_queue codex_after_queue codex_answered codex_busy_queued "
        "codex_cli_queue codex_paste25_sent codex_permission_blindsend codex_prompt "
        "codex_trust_blindsend gem_after_queue gem_answered gem_paste25_sent "
        "gemini_permission_blindsend oc_after_queue opencode_start opencode_sidebar pi_after_queue pi_answered "
        "pi_paste25_sent pi_start"
    ),
    ScreenState.DRAFT: (
        "claude_bashmode_draft claude_draft claude_paste25_draft codex_draft codex_long8k_draft "
        "codex_paste25_draft gem_draft gem_paste25_draft gemini_long8k_draft oc_draft "
        "opencode_at_popup pi_draft"
    ),
    ScreenState.BUSY: ("claude_busy oc_answered oc_busy oc_paste25_sent"),
    ScreenState.QUEUED: ("claude_busy_queued gem_busy_queued pi_busy_queued"),
    ScreenState.BLOCKED: (
        "claude_permission_dialog claude_start claude_trust_blindtext codex_leave_dialog "
        "codex_permission_dialog codex_start opencode_leave_dialog gemini_permission_blindtext gemini_start gemini_trust_blindsend"
    ),
    ScreenState.COPY_MODE: ("claude_copymode codex_copymode gemini_copymode pi_copymode"),
    ScreenState.DEAD: ("claude_dead_no_onboarding claude_trust_blindsend dead_pane"),
}
EVERY = [(name, state) for state, names in READ_AS.items() for name in names.split()]
UNSEEN_WITHOUT_META = {"claude_trust_blindsend"}
"""Only tmux knows that these are dead; what they show is a dialog."""


def read(
    name: str, *, runtime: str | None = None, styles: bool = True, meta: bool = True
) -> Reading:
    """Return how a capture is read; ``meta`` is what tmux said of the pane."""
    text = (CAPTURES / f"{name}.ansi").read_text()
    said = (CAPTURES / f"{name}.meta").read_text() if meta else None
    program = name.partition("_")[0]
    plain = text if styles else "\n".join(read_styles(text)[0])
    return read_screen(runtime or PROGRAMS.get(program, program), read_capture(plain, said))


def test_every_capture_is_in_the_table() -> None:
    assert sorted(name for name, _ in EVERY) == sorted(
        path.stem for path in CAPTURES.glob("*.ansi")
    )


@pytest.mark.parametrize(("name", "state"), EVERY)
@pytest.mark.parametrize("styles", [True, False], ids=["styles", "plain"])
def test_a_capture_is_read_as_what_it_is(name: str, state: ScreenState, *, styles: bool) -> None:
    assert read(name, styles=styles).state is state


@pytest.mark.parametrize(("name", "state"), EVERY)
def test_a_capture_is_read_alike_when_nobody_kept_what_tmux_said(
    name: str, state: ScreenState
) -> None:
    if state is not ScreenState.COPY_MODE and name not in UNSEEN_WITHOUT_META:
        assert read(name, meta=False).state is state


@pytest.mark.parametrize(
    ("name", "dialog"),
    [
        ("claude_permission_dialog", "Bash command"),
        ("claude_start", "Accessing workspace"),
        ("codex_permission_dialog", "Would you like to run the following command?"),
        ("codex_leave_dialog", "Would you like to run the following command?"),
        ("codex_start", "Trust this folder?"),
        ("gemini_permission_blindtext", "Allow execution of [Shell]?"),
        ("gemini_start", "Do you trust the files in this folder?"),
    ],
)
def test_an_open_dialog_is_named(name: str, dialog: str) -> None:
    assert read(name).dialog == dialog


def test_words_of_a_dialog_in_a_conversation_are_no_dialog() -> None:
    text = (CAPTURES / "opencode_sidebar.ansi").read_text()
    quoted = text.replace("OK-ACK", "△ Permission required: Allow once   Allow always", 1)
    assert quoted != text
    meta = (CAPTURES / "opencode_sidebar.meta").read_text()
    assert read_screen("opencode", read_capture(quoted, meta)).state is ScreenState.PROMPT


@pytest.mark.parametrize(
    ("name", "tail"),
    [
        ("claude_draft", "hello TOK1 from bot"),
        ("claude_bashmode_draft", "! true"),
        ("claude_paste25_draft", "[Pasted text #1 +25 lines]"),
        ("codex_draft", "hello TOK1 from bot"),
        ("codex_paste25_draft", "line 25 of a long pasted message"),
        ("gem_paste25_draft", "[Pasted Text: 26 lines]"),
        ("opencode_at_popup", "look at @README"),
        ("pi_draft", "hello TOK1 from bot"),
    ],
)
def test_a_drafts_end_is_shown(name: str, tail: str) -> None:
    assert read(name).draft_tail == tail


@pytest.mark.parametrize(
    ("name", "runtime", "state"),
    [
        ("bash_repl", "claude", ScreenState.DEAD),
        ("claude_prompt", "generic", ScreenState.PROMPT),
        ("dead_pane", "no-such-runtime", ScreenState.DEAD),
        ("claude_prompt", "codex", ScreenState.UNKNOWN),
        ("pi_start", "claude", ScreenState.UNKNOWN),
        ("opencode_start", "gemini", ScreenState.UNKNOWN),
    ],
)
def test_another_programs_screen_is_no_prompt(name: str, runtime: str, state: ScreenState) -> None:
    assert read(name, runtime=runtime).state is state
