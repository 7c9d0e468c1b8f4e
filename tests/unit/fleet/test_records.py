"""What the records of agent programs say of one turn."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.agents.failure import FailureKind, TurnFailure
from fleet.turns.records import doing, was_interrupted, what_failed

TEXT = "[from a:b → to c:d | class chat | id m1]\nhello\n[end m1]"


def claude(role: str, *content: Any) -> dict[str, Any]:
    return {"type": role, "message": {"role": role, "content": list(content)}}


def codex(**payload: Any) -> dict[str, Any]:
    return {"type": "response_item", "payload": payload}


def pi(role: str, *content: Any) -> dict[str, Any]:
    return {"type": "message", "message": {"role": role, "content": list(content)}}


def words(text: str, kind: str = "text") -> dict[str, str]:
    return {"type": kind, "text": text}


def write(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in entries))
    return path


SECRET = {"command": "curl -H 's3cret'"}
RECORDS = {
    "claude": (
        {"type": "queue-operation", "operation": "enqueue", "content": TEXT},
        claude("assistant", words("to somebody else")),
        {"type": "user", "message": {"role": "user", "content": TEXT}},
        {"type": "last-prompt", "lastPrompt": TEXT},
        claude("assistant", words("I look around.")),
        claude("assistant", {"type": "tool_use", "name": "Bash", "input": SECRET}),
    ),
    "codex": (
        codex(type="message", role="assistant", content=[words("to somebody else", "output_text")]),
        codex(type="message", role="user", content=[words(TEXT, "input_text")]),
        codex(type="message", role="assistant", content=[words("I look.", "output_text")]),
        codex(type="function_call", name="Bash", arguments=json.dumps(SECRET)),
        codex(type="function_call_output", output="s3cret"),
    ),
    "pi": (
        pi("assistant", words("to somebody else")),
        pi("user", words(TEXT)),
        pi(
            "assistant", words("I look."), {"type": "toolCall", "name": "Bash", "arguments": SECRET}
        ),
        pi("toolResult", words("s3cret")),
    ),
    "opencode": ({"text": TEXT, "doing": "Bash", "tool": True},),
}


@pytest.mark.parametrize("runtime", sorted(RECORDS))
def test_a_turn_shows_what_it_uses_and_nothing_of_what_that_was_given(
    tmp_path: Path, runtime: str
) -> None:
    record = write(tmp_path / "record", *RECORDS[runtime])
    assert doing(record, "m1") == "using Bash"
    assert doing(record, "m2") == ""


@pytest.mark.parametrize("runtime", ["claude", "codex", "pi"])
def test_nothing_of_an_earlier_turn_is_shown(tmp_path: Path, runtime: str) -> None:
    before = [one for one in RECORDS[runtime] if "somebody else" in json.dumps(one)]
    assert doing(write(tmp_path / "record", *before), "m1") == ""
    begun = (*before, *(one for one in RECORDS[runtime] if "hello" in json.dumps(one)))
    assert doing(write(tmp_path / "record", *begun), "m1") == ""


def test_the_end_of_long_words_is_shown(tmp_path: Path) -> None:
    said = claude("assistant", words("a long\n\nthought " * 100 + "and its end"))
    record = write(tmp_path / "record", claude("user", words(TEXT)), said)
    shown = doing(record, "m1")
    assert len(shown) == 400
    assert shown.startswith("…")
    assert shown.endswith("thought and its end")


def test_a_record_that_is_not_there_or_broken_says_nothing(tmp_path: Path) -> None:
    assert doing(tmp_path / "none", "m1") == ""
    (tmp_path / "broken").write_bytes(b'{"type": "user", m1\n\xff\n{"half')
    assert doing(tmp_path / "broken", "m1") == ""


def test_gemini_writes_down_what_went_wrong(tmp_path: Path) -> None:
    begun = {"type": "user", "content": [{"text": TEXT}]}
    api = '[API Error: {"error":{"code":400,"message":"bad request here"}}]'
    quota = '[API Error: {"error":{"code":429,"message":"You exceeded your quota"}}]'
    found = [
        what_failed(write(tmp_path / "record", begun, end), "m1")
        for end in (
            {"type": "error", "content": api},
            {"type": "error", "content": quota},
            {"type": "info", "content": "Request cancelled."},
            {"type": "info", "content": "Something else."},
        )
    ]
    assert found == [
        TurnFailure(FailureKind.ERROR, "API Error: bad request here"),
        TurnFailure(FailureKind.LIMIT, "API Error: You exceeded your quota"),
        TurnFailure(FailureKind.INTERRUPTED),
        None,
    ]


def test_claude_writes_down_that_somebody_interrupted_a_turn(tmp_path: Path) -> None:
    begun = {"type": "user", "message": {"role": "user", "content": TEXT}}
    mark = claude("user", words("[Request interrupted by user for tool use]"))
    record = tmp_path / "record"
    assert was_interrupted(write(record, begun, claude("assistant", words("I")), mark), "m1")
    assert not was_interrupted(write(record, mark, begun), "m1"), "an earlier turn was"
    quoted = claude("assistant", words("[Request interrupted by user]"))
    assert not was_interrupted(write(record, begun, quoted), "m1"), "the model says so"
