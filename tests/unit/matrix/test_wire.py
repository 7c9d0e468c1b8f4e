"""What we say has the right shape and always fits."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.model import Address, MessageKind, OutboundMessage
from connectors.matrix.wire import MAX_BYTES, to_wire

ROOM = Address("matrix", "!room:example.org")


def _message(text: str, kind: MessageKind = MessageKind.REPLY, **more: Any) -> OutboundMessage:
    return OutboundMessage("m", 0, "t", more.pop("to", ROOM), kind, text, **more)


@given(st.text(), st.none() | st.text(), st.sampled_from(MessageKind))
def test_every_message_is_json_with_a_text_and_mentions(
    text: str, html: str | None, kind: MessageKind
) -> None:
    event = to_wire(_message(text, kind, html=html, reply_to="$to"))
    json.dumps(event.content, ensure_ascii=False).encode()
    if kind is not MessageKind.REACTION:
        assert event.content["m.mentions"] == {}
        assert ("formatted_body" in event.content) == (html is not None)


@pytest.mark.parametrize(
    ("kind", "msgtype"),
    [
        (MessageKind.REPLY, "m.notice"),
        (MessageKind.NOTICE, "m.notice"),
        (MessageKind.ANSWER, "m.text"),
        (MessageKind.MAIL, "m.text"),
    ],
)
def test_our_own_words_are_notices_and_others_words_text(kind: MessageKind, msgtype: str) -> None:
    assert to_wire(_message("x", kind)).content["msgtype"] == msgtype


@given(st.sampled_from(['"', "\n", "\\", "é", "x", "👩"]), st.floats(0, 0.5))
def test_what_fits_the_bound_fits_an_event_and_sheds_at_most_its_markup(
    mark: str, share: float
) -> None:
    size = len(mark.encode())
    text = mark * int(MAX_BYTES * share / size)
    html = mark * int(MAX_BYTES * (1 - share) / size)
    content = to_wire(_message(text, html=html)).content
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    assert content["body"] == text
    assert len(written) < 64_000


def test_a_mark_needs_an_event() -> None:
    with pytest.raises(UserError, match="reply_to is empty"):
        to_wire(_message("👀", MessageKind.REACTION))


def test_an_edit_replaces_an_event_and_calls_nobody() -> None:
    message = _message("done", html="<b>done</b>", reply_to="$asked", replaced_event="$shown")
    content = to_wire(message, "@ann:here").content
    assert content["m.relates_to"] == {"rel_type": "m.replace", "event_id": "$shown"}
    assert (content["body"], content["formatted_body"]) == ("* done", "* <b>done</b>")
    new = content["m.new_content"]
    assert (new["body"], new["formatted_body"]) == ("done", "<b>done</b>")
    assert content["m.mentions"] == new["m.mentions"] == {}
    assert "m.relates_to" not in new, "it stays in the thread of what it edits"
    assert new["msgtype"] == content["msgtype"] == "m.notice"


def test_an_edit_sheds_its_markup_when_both_forms_together_are_too_much() -> None:
    text = "x" * 20_000
    content = to_wire(_message(text, html=f"<b>{text}</b>", replaced_event="$shown")).content
    assert "formatted_body" not in content
    assert content["m.new_content"]["body"] == text
    with pytest.raises(UserError, match="takes"):
        to_wire(_message("x" * 40_000, replaced_event="$shown"))


THREAD = Address("matrix", "!room:example.org", "$root")


@pytest.mark.parametrize(
    ("reply_to", "end", "answered", "falls_back"),
    [
        (None, None, "$root", True),
        (None, "$last", "$last", True),
        ("$root", "$last", "$root", True),
        ("$last", "$last", "$last", True),
        ("$asked", None, "$asked", True),
        ("$asked", "$last", "$asked", False),
    ],
)
def test_in_a_thread_what_is_answered_is_quoted_only_when_something_came_between(
    reply_to: str | None, end: str | None, answered: str, *, falls_back: bool
) -> None:
    content = to_wire(_message("x", to=THREAD, reply_to=reply_to), end=end).content
    assert content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$root",
        "is_falling_back": falls_back,
        "m.in_reply_to": {"event_id": answered},
    }


def test_progress_stands_in_its_thread_and_answers_nothing() -> None:
    content = to_wire(_message("x", MessageKind.PROGRESS, to=THREAD), end="$last").content
    assert content["m.relates_to"] == {"rel_type": "m.thread", "event_id": "$root"}


@given(st.text(), st.sampled_from(MessageKind))
def test_nothing_of_ours_ever_mentions_a_whole_room(text: str, kind: MessageKind) -> None:
    message = _message(f"@room {text}", kind, reply_to="$to")
    if kind is not MessageKind.REACTION:
        assert to_wire(message, "@ann:e.org").content["m.mentions"] == {"user_ids": ["@ann:e.org"]}


def test_an_edit_mentions_nobody_again() -> None:
    content = to_wire(_message("x", replaced_event="$old"), "@ann:e.org").content
    assert content["m.mentions"] == content["m.new_content"]["m.mentions"] == {}
