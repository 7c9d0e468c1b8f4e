"""Files in Matrix events are read leniently in what they say of themselves, and strictly in where they are."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.enclosure import Enclosure
from bot.model import Address, MessageKind, OutboundMessage
from connectors.matrix.answers import RoomEvent
from connectors.matrix.attachments import FILE_TYPES, caption_of, file_content, read_attachment
from connectors.matrix.events import to_inbound
from connectors.matrix.wire import to_wire

URL = "mxc://example.org/abc_DEF-1"
SEALED: dict[str, Any] = {
    "url": URL,
    "key": {"k": "a" * 43, "alg": "A256CTR", "kty": "oct", "ext": True, "key_ops": ["decrypt"]},
    "iv": "w+sE15fzSc0AAAAAAAAAAA",
    "hashes": {"sha256": "fdSLu/YkRx3Wyh3KQabP3rd6+SFiKg5lsJZQHtkSAYA"},
    "v": "v2",
}
odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)
odd_files = st.fixed_dictionaries(
    {},
    optional={
        "url": st.just(URL) | odd,
        "file": st.just(SEALED) | odd,
        "body": st.text() | odd,
        "filename": st.text() | odd,
        "info": st.fixed_dictionaries({}, optional={"mimetype": odd, "size": odd}) | odd,
    },
)


@given(odd_files)
def test_no_file_whatever_breaks_the_reading(content: dict[str, Any]) -> None:
    found = read_attachment(content)
    assert isinstance(caption_of(content), str)
    if found is not None:
        assert found.name
        assert found.media_type.count("/") == 1
        assert found.size is None or found.size >= 0


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"url": "https://example.org/a"},
        {"url": "mxc://example.org/../../admin"},
        {"url": "mxc://example.org/a?b"},
        {"url": "mxc://exa mple/a"},
        {"url": "mxc:///a"},
        {"url": 7},
        {"file": {**SEALED, "url": "file:///etc/passwd"}},
        {"file": {**SEALED, "v": "v1"}},
        {"file": {**SEALED, "key": {"k": "x", "alg": "none"}}},
        {"file": "text"},
    ],
)
def test_what_cannot_be_fetched_is_no_file(where: dict[str, Any]) -> None:
    assert read_attachment({"msgtype": "m.file", "body": "x", **where}) is None


@pytest.mark.parametrize("msgtype", FILE_TYPES)
def test_a_file_comes_with_its_name_its_type_and_its_caption(msgtype: str) -> None:
    event = RoomEvent(
        event_id="$e",
        sender="@ann:example.org",
        type="m.room.message",
        content={
            "msgtype": msgtype,
            "body": "look at this",
            "filename": "a b.PNG",
            "info": {"mimetype": "Image/PNG; charset=x", "size": 12},
            "file": SEALED,
            "m.relates_to": {"rel_type": "m.thread", "event_id": "$root"},
        },
    )
    inbound = to_inbound(event, "!room:example.org", "@mosaic:example.org")
    assert inbound is not None
    assert (inbound.text, inbound.source.thread) == ("look at this", "$root")
    (file,) = inbound.attachments
    assert (file.name, file.media_type, file.size) == ("a b.PNG", "image/png", 12)
    assert file.reference["file"]["iv"] == SEALED["iv"]
    assert "k" * 2 not in repr(file), "no key in a log"
    assert SEALED["key"]["k"] not in repr(inbound)


def test_a_file_s_own_name_is_no_word_of_a_person() -> None:
    assert caption_of({"body": "!fleet stop", "url": URL}) == ""
    assert caption_of({"body": "!fleet stop", "filename": "!fleet stop"}) == ""
    assert caption_of({"body": "words", "filename": "x.txt"}) == "words"


@pytest.mark.parametrize(
    ("media_type", "msgtype"),
    [
        ("image/png", "m.image"),
        ("audio/ogg", "m.audio"),
        ("video/mp4", "m.video"),
        ("text/plain", "m.file"),
    ],
)
def test_our_files_are_named_by_their_kind(media_type: str, msgtype: str) -> None:
    file = Enclosure("x", media_type, 3, "c")
    said = file_content(file, "", {"url": URL})
    assert (said["msgtype"], said["body"], said["filename"]) == (msgtype, "x", "x")
    assert said["info"] == {"mimetype": media_type, "size": 3}


def test_a_file_of_ours_stands_in_its_thread_with_its_caption() -> None:
    place = Address("matrix", "!room:example.org", "$root")
    file = Enclosure("x.md", "text/markdown", 3, "c")
    said = OutboundMessage(
        "m", 0, "t", place, MessageKind.ANSWER, "as asked", "<p>as asked</p>", "$q", files=(file,)
    )
    content = to_wire(said, "@ann:example.org", where={"file": SEALED}).content
    assert (content["body"], content["filename"]) == ("as asked", "x.md")
    assert content["formatted_body"] == "<p>as asked</p>"
    assert content["file"] == SEALED
    assert content["m.relates_to"]["event_id"] == "$root"
    assert content["m.mentions"] == {"user_ids": ["@ann:example.org"]}
