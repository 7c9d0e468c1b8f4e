"""Codex's rollouts, read into the lines that every runtime's turns are noted in."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from fleet.host.processes import open_files
from fleet.turns.events import read_events
from fleet.watch.rollouts import turns

TEXT = "[from a:b → to c:d | class chat | id m1]\nhello\n[end m1]"


def record(**payload: Any) -> str:
    return json.dumps(
        {"timestamp": "2026-11-24T16:50:06Z", "type": "event_msg", "payload": payload}
    )


def user(turn: str, text: str) -> str:
    content = [{"type": "text", "text": text}]
    item = {"type": "UserMessage", "id": "u", "content": content}
    return record(type="item_completed", thread_id="s1", turn_id=turn, item=item)


def noted(tmp_path: Path, *lines: str) -> list[tuple[str, str | None, str]]:
    path = tmp_path / "codex.events"
    path.write_text("".join(turns("\n".join(lines).encode(), "s1")), encoding="utf-8")
    return [
        (one.event, next(iter(one.message_ids), None), one.answer)
        for one in read_events(path, 0).events
    ]


def test_a_prompt_and_its_turns_last_word_are_noted(tmp_path: Path) -> None:
    answer = {"type": "AgentMessage", "id": "a", "content": [{"type": "Text", "text": "on it"}]}
    assert noted(
        tmp_path,
        record(type="task_started", turn_id="t1"),
        user("t1", TEXT),
        record(type="item_completed", thread_id="s1", turn_id="t1", item=answer),
        record(type="task_complete", turn_id="t1", last_agent_message="done\nat last"),
    ) == [("submitted", "m1", ""), ("turn_ended", "m1", "done\nat last")]


def test_a_turn_without_a_last_word_has_no_answer(tmp_path: Path) -> None:
    assert noted(
        tmp_path,
        user("t1", TEXT),
        record(type="task_complete", turn_id="t1", last_agent_message=None),
        record(type="task_complete", turn_id="t2", last_agent_message="of another turn"),
    ) == [("submitted", "m1", ""), ("turn_ended", None, "of another turn")]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (
            {
                "type": "task_complete",
                "last_agent_message": None,
                "error": {
                    "message": "You have hit your usage limit. Try again at 1:33 PM.",
                    "codex_error_info": "usage_limit_exceeded",
                },
            },
            "limit: You have hit your usage limit. Try again at 1:33 PM.",
        ),
        (
            {
                "type": "task_complete",
                "last_agent_message": "half a thought",
                "error": {
                    "message": '{"error":{"message":"bad request here","type":"invalid"}}',
                    "codex_error_info": {"http_connection_failed": {"http_status_code": 400}},
                },
            },
            "error: bad request here",
        ),
        ({"type": "turn_aborted", "reason": "interrupted"}, "interrupted"),
    ],
)
def test_what_ended_a_turn_without_an_answer_is_told(
    tmp_path: Path, end: dict[str, Any], reason: str
) -> None:
    path = tmp_path / "codex.events"
    lines = "\n".join((user("t1", TEXT), record(turn_id="t1", **end)))
    path.write_text("".join(turns(lines.encode(), "s1", "/a/rollout")), encoding="utf-8")
    begun, failed = read_events(path, 0).events
    assert (begun.event, begun.record) == ("submitted", "/a/rollout")
    assert (failed.event, failed.message_ids, failed.answer) == ("turn_failed", ("m1",), "")
    assert failed.failure is not None
    assert failed.failure.reason == reason


def test_what_is_no_record_is_passed_over(tmp_path: Path) -> None:
    model = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": TEXT}]}
    lines = ("", "{", "[]", '{"payload": 1}', json.dumps({"payload": model}), user("t1", "typed"))
    assert noted(tmp_path, *lines) == [("submitted", None, "")]


def test_open_files_are_those_of_that_process(tmp_path: Path) -> None:
    path = tmp_path / "held"
    with path.open("w"):
        assert str(path) in open_files(os.getpid())
    assert open_files(2**22 + 1) == []
