"""What programs say of their turns, from our own lines and from hooks."""

import json
import subprocess
from pathlib import Path

from bot.agents.failure import FailureKind, TurnFailure
from fleet.turns.events import Event, read_events
from fleet.turns.hooks import note_into


def text(message_id: str) -> str:
    """The text of a message as it was pasted."""
    return f"[from a:b → to c:d | class chat | id {message_id}]\nhello\n[end {message_id}]"


def hook(event: str, **more: str) -> str:
    return json.dumps({"hook_event_name": event, "session_id": "s1", "cwd": "/", **more}) + "\n"


def told(path: Path, offset: int = 0) -> list[tuple[str, str | None, str]]:
    """What was said, of one message or none each."""
    events = read_events(path, offset).events
    return [(one.event, next(iter(one.message_ids), None), one.answer) for one in events]


def test_an_end_belongs_to_the_message_that_its_turn_began_with(tmp_path: Path) -> None:
    path = tmp_path / "claude.events"
    path.write_text(
        hook("UserPromptSubmit", prompt=text("m1"), prompt_id="t1")
        + hook("UserPromptSubmit", prompt=text("m2"), prompt_id="t2")
        + hook("Stop", prompt_id="t1", last_assistant_message="one")
        + hook("Stop", prompt_id="t2", last_assistant_message="two")
    )
    assert told(path) == [
        *(("submitted", "m1", ""), ("submitted", "m2", "")),
        *(("turn_ended", "m1", "one"), ("turn_ended", "m2", "two")),
    ]


def test_a_beginning_is_found_before_the_offset_too(tmp_path: Path) -> None:
    path = tmp_path / "claude.events"
    begun = hook("UserPromptSubmit", prompt=text("m1"), prompt_id="t1")
    path.write_text(begun + hook("Stop", prompt_id="t1", last_assistant_message="one"))
    assert told(path, len(begun.encode())) == [("turn_ended", "m1", "one")]


def test_an_end_whose_turn_nobody_knows_belongs_to_no_message(tmp_path: Path) -> None:
    path = tmp_path / "claude.events"
    path.write_text(
        hook("UserPromptSubmit", prompt=text("m1"), prompt_id="t1")
        + hook("Stop", prompt_id="t9", last_assistant_message="of another turn")
        + hook("Stop", last_assistant_message="of an older program")
        + hook("UserPromptSubmit", prompt="typed by a person", prompt_id="t2")
        + hook("Stop", prompt_id="t2", last_assistant_message="to the person")
    )
    ends = [one for one in told(path) if one[0] == "turn_ended"]
    assert [message_id for _, message_id, _ in ends] == [None, None, None]


def test_another_session_with_the_same_turn_is_another_turn(tmp_path: Path) -> None:
    path = tmp_path / "claude.events"
    path.write_text(
        hook("UserPromptSubmit", prompt=text("m1"), prompt_id="t1")
        + hook("Stop", prompt_id="t1", last_assistant_message="one").replace('"s1"', '"s2"')
    )
    assert told(path)[1] == ("turn_ended", None, "one")


def test_a_longer_paste_is_known_between_the_tags_that_claude_puts_around_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "claude.events"
    tag = 'pasted_content id="c706"'
    quoted = f"look at this:\n<{tag}>\n{text('m2')}\n</{tag}>\n"
    path.write_text(
        hook("UserPromptSubmit", prompt=f"\n\n<{tag}>\n{text('m1')}\n</{tag}>\n", prompt_id="t1")
        + hook("UserPromptSubmit", prompt=quoted, prompt_id="t2")
    )
    assert [message_id for _, message_id, _ in told(path)] == ["m1", None]


def test_gemini_repeats_its_prompt_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "gemini.events"
    path.write_text(
        hook("BeforeAgent", prompt=text("m1"), timestamp="2026-11-24T16:00:00Z")
        + hook("AfterAgent", prompt=text("m1"), prompt_response="done")
    )
    assert told(path) == [("submitted", "m1", ""), ("turn_ended", "m1", "done")]
    assert read_events(path, 0).events[0].at == "2026-11-24T16:00:00Z"


def test_other_hooks_and_broken_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "claude.events"
    path.write_text(
        hook("SessionStart") + "{broken\n\n" + hook("BeforeAgent", prompt=text("m1")) + '{"half'
    )
    stretch = read_events(path, 0)
    assert [one.message_ids for one in stretch.events] == [("m1",)]
    assert stretch.end == path.stat().st_size - len('{"half')
    assert isinstance(stretch.events[0], Event)


def test_a_note_is_one_line_whatever_stands_in_it_and_never_fails(tmp_path: Path) -> None:
    path = tmp_path / "a 'place'\" $HOME" / "its.events"
    said = json.dumps({"prompt": "x" * 100_000}, indent=2)
    quiet = subprocess.run(
        ["sh", "-c", note_into(path)], input=said, text=True, capture_output=True, check=False
    )
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    path.parent.mkdir()
    for _ in range(2):
        subprocess.run(["sh", "-c", note_into(path)], input=said, text=True, check=True)
    lines = path.read_text().splitlines()
    assert [json.loads(line) for line in lines] == [json.loads(said)] * 2


def test_messages_that_gemini_joined_are_all_known_and_answered(tmp_path: Path) -> None:
    path = tmp_path / "gemini.events"
    quoting = text("m2").replace("hello", text("m9"))
    joined = f"{text('m1')}\n\n{quoting}\n\nand a person's own words\n{text('m8')}"
    path.write_text(
        hook("BeforeAgent", prompt=joined)
        + hook("AfterAgent", prompt=joined, prompt_response="both")
    )
    ids = [one.message_ids for one in read_events(path, 0).events]
    assert ids == [("m1", "m2"), ("m1", "m2")], (
        "a quoted header is no message, nor one after other words"
    )


def test_claude_says_why_a_turn_failed(tmp_path: Path) -> None:
    path = tmp_path / "claude.events"
    path.write_text(
        hook("UserPromptSubmit", prompt=text("m1"), prompt_id="t1", transcript_path="/a/s1.jsonl")
        + hook(
            "StopFailure",
            prompt_id="t1",
            error="rate_limit",
            last_assistant_message="You've hit your session limit · resets 3pm",
        )
        + hook(
            "StopFailure", prompt_id="t1", error="unknown", last_assistant_message="API Error: 400"
        )
    )
    begun, limit, error = read_events(path, 0).events
    assert begun.record == "/a/s1.jsonl"
    assert [one.message_ids for one in (limit, error)] == [("m1",)] * 2
    assert limit.failure == TurnFailure(
        FailureKind.LIMIT, "You've hit your session limit · resets 3pm"
    )
    assert error.failure == TurnFailure(FailureKind.ERROR, "API Error: 400")
    assert (limit.event, limit.answer) == ("turn_failed", ""), "no answer is made of it"


def test_gemini_ends_a_turn_that_was_cut_short_without_words(tmp_path: Path) -> None:
    path = tmp_path / "gemini.events"
    path.write_text(
        hook("BeforeAgent", prompt=text("m1"))
        + hook("AfterAgent", prompt=text("m1"), prompt_response="[no response text]")
    )
    assert told(path) == [("submitted", "m1", ""), ("turn_failed", "m1", "")]
