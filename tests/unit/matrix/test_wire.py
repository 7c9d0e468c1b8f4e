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
