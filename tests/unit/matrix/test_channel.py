"""Which events belong to a verification, and which of them begin one."""

import time
from typing import Any

import pytest

from connectors.matrix.answers import RoomEvent
from connectors.matrix.channel import Channel, from_device, in_room

BOT, ANN = "@bot:e.org", "@ann:e.org"


def now() -> int:
    return int(time.time() * 1000)


def told(kind: str, **content: Any) -> dict[str, Any]:
    return {"type": f"m.key.verification.{kind}", "sender": ANN, "content": content}


def said(kind: str, content: dict[str, Any], *, sent_at: int | None = None) -> RoomEvent:
    sent = now() if sent_at is None else sent_at
    return RoomEvent(event_id="$1", sender=ANN, type=kind, content=content, origin_server_ts=sent)


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "msgtype": "m.key.verification.request",
        "to": BOT,
        "from_device": "PHONE",
        **changes,
    }


def test_a_word_from_a_device_is_told_by_its_transaction() -> None:
    heard = from_device(told("key", transaction_id="T", key="x"))
    assert heard is not None
    assert (heard.channel, heard.kind, heard.begins) == (Channel(ANN, "T"), "key", False)
    assert heard.channel.tie({"a": 1}) == {"a": 1, "transaction_id": "T"}


@pytest.mark.parametrize(
    "event",
    [
        told("key"),
        told("key", transaction_id=1),
        {"type": "m.key.verification.key", "sender": ANN, "content": []},
        {"type": "m.key.verification.key", "content": {"transaction_id": "T"}},
    ],
)
def test_what_is_malformed_is_nothing(event: dict[str, Any]) -> None:
    assert from_device(event) is None


@pytest.mark.parametrize(
    ("minutes", "begins"), [(0, True), (-9, True), (4, True), (-11, False), (6, False)]
)
def test_a_request_begins_one_while_somebody_can_wait_for_an_answer(
    minutes: int, begins: bool
) -> None:
    moment = now() + minutes * 60_000
    device = from_device(told("request", transaction_id="T", from_device="PHONE", timestamp=moment))
    room = in_room("!r", said("m.room.message", asked(), sent_at=moment), BOT)
    assert device is not None
    assert room is not None
    assert (device.begins, room.begins) == (begins, begins)


@pytest.mark.parametrize("moment", [None, True, "soon", 10**30])
def test_a_request_without_a_sensible_time_begins_none(moment: object) -> None:
    heard = from_device(told("request", transaction_id="T", from_device="PHONE", timestamp=moment))
    assert heard is not None
    assert not heard.begins


def test_a_start_begins_one_from_device_to_device_only() -> None:
    device = from_device(told("start", transaction_id="T", from_device="PHONE"))
    relation = {"rel_type": "m.reference", "event_id": "$0"}
    content = {"from_device": "PHONE", "m.relates_to": relation}
    room = in_room("!r", said("m.key.verification.start", content), BOT)
    assert device is not None
    assert room is not None
    assert (device.begins, room.begins) == (True, False)
    assert room.channel == Channel(ANN, "$0", "!r")
    assert room.channel.tie({}) == {"m.relates_to": relation}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("m.room.message", {"msgtype": "m.text", "body": "hello"}),
        ("m.room.message", asked(to="@other:e.org")),
        ("m.key.verification.key", {}),
        ("m.key.verification.key", {"m.relates_to": {"rel_type": "m.thread", "event_id": "$0"}}),
        ("m.key.verification.key", {"m.relates_to": {"rel_type": "m.reference", "event_id": 1}}),
    ],
)
def test_what_is_for_others_or_belongs_to_none_is_nothing(
    kind: str, content: dict[str, Any]
) -> None:
    assert in_room("!r", said(kind, content), BOT) is None


def test_a_request_that_names_no_device_begins_none() -> None:
    heard = in_room("!r", said("m.room.message", asked(from_device=None)), BOT)
    assert heard is not None
    assert not heard.begins
