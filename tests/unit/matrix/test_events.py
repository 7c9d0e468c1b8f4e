"""Matrix events become Inbounds, or nothing, whatever stands in them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import InboundKind
from connectors.matrix.answers import HistoryAnswer, RoomEvent, SyncAnswer, read_answer, read_events
from connectors.matrix.events import clean, is_own_join, to_inbound

ROOM, BOT, ANN = "!room:example.org", "@mosaic:example.org", "@ann:example.org"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
odd_relations = st.fixed_dictionaries(
    {},
    optional={
        "rel_type": st.sampled_from(["m.thread", "m.replace", "m.annotation"]) | json_values,
        "event_id": st.just("$root") | json_values,
        "key": st.text() | json_values,
        "m.in_reply_to": st.just({"event_id": "$to"}) | json_values,
    },
)
odd_contents = st.fixed_dictionaries(
    {},
    optional={
        "msgtype": st.just("m.text") | json_values,
        "body": st.text() | json_values,
        "m.relates_to": odd_relations | json_values,
        "m.new_content": st.fixed_dictionaries({"body": json_values}) | json_values,
    },
)
odd_events = st.fixed_dictionaries(
    {},
    optional={
        "event_id": st.just("$e") | json_values,
        "sender": st.just(ANN) | json_values,
        "type": st.sampled_from(
            ["m.room.message", "m.room.member", "m.reaction", "m.room.redaction"]
        )
        | json_values,
        "redacts": json_values,
        "content": odd_contents | json_values,
        "origin_server_ts": st.integers() | json_values,
        "unsigned": json_values,
        "state_key": st.none() | json_values,
    },
)


def _event(content: dict[str, Any], **more: Any) -> RoomEvent:
    event: dict[str, Any] = {
        "event_id": "$e",
        "sender": ANN,
        "type": "m.room.message",
        "content": content,
        "origin_server_ts": 1_700_000_000_000,
    }
    return RoomEvent.model_validate(event | more)


def _text(body: str, **more: Any) -> dict[str, Any]:
    return {"msgtype": "m.text", "body": body, **more}


@given(st.lists(odd_events | json_values, max_size=4))
def test_no_event_whatever_breaks_the_reading(events: list[Any]) -> None:
    told = {"next_batch": "p", "rooms": {"join": {ROOM: {"timeline": {"events": events}}}}}
    answer = read_answer(SyncAnswer, told)
    for event in read_events(RoomEvent, answer.rooms.join[ROOM].timeline.events):
        is_own_join(event, BOT)
        inbound = to_inbound(event, ROOM, BOT)
        if inbound is not None:
            inbound.text.encode()
            assert "\x00" not in inbound.text
            assert inbound.sent_at.tzinfo is UTC


@given(st.text())
def test_an_ordinary_text_comes_through_as_it_is(body: str) -> None:
    inbound = to_inbound(_event(_text(body)), ROOM, BOT)
    assert inbound is not None
    assert inbound.text == clean(body)
    assert inbound.kind is InboundKind.TEXT


def test_a_good_event_stands_between_bad_ones() -> None:
    good = _event(_text("good")).model_dump()
    history = read_answer(HistoryAnswer, {"chunk": [7, None, good, {"type": 1}]})
    assert [event.event_id for event in read_events(RoomEvent, history.chunk)] == ["$e"]


def test_half_a_surrogate_and_nul_become_replacement_characters() -> None:
    assert clean("a\x00b\ud800c") == "a\ufffdb?c"


@pytest.mark.parametrize("moment", ["x", -1, 10**18, True, None, 1.5])
def test_a_senseless_time_becomes_now(moment: object) -> None:
    inbound = to_inbound(_event(_text("x"), origin_server_ts=moment), ROOM, BOT)
    assert inbound is not None
    assert abs(datetime.now(UTC) - inbound.sent_at) < timedelta(minutes=1)


def test_an_edit_of_a_text_in_a_thread_keeps_the_thread() -> None:
    new = {"body": "!list", "m.relates_to": {"rel_type": "m.thread", "event_id": "$root"}}
    replaces = {"rel_type": "m.replace", "event_id": "$old"}
    content = _text("* !list", **{"m.new_content": new, "m.relates_to": replaces})
    inbound = to_inbound(_event(content), ROOM, BOT)
    assert inbound is not None
    assert (inbound.kind, inbound.text) == (InboundKind.EDIT, "!list")
    assert inbound.stands_on == "$old"
    assert inbound.source.thread == "$root"


def _annotation(**relation: Any) -> dict[str, Any]:
    given = {"rel_type": "m.annotation", "event_id": "$on", "key": "👍", **relation}
    return {"m.relates_to": given}


def test_a_reaction_is_a_mark_and_what_it_stands_on() -> None:
    inbound = to_inbound(_event(_annotation(), type="m.reaction"), ROOM, BOT)
    assert inbound is not None
    assert (inbound.kind, inbound.text) == (InboundKind.REACTION, "👍")
    assert (inbound.event_id, inbound.stands_on) == ("$e", "$on")
    assert (inbound.source.place, inbound.source.thread) == (ROOM, None)


@pytest.mark.parametrize(
    "content",
    [
        {},
        _annotation(rel_type="m.thread"),
        _annotation(event_id=None),
        _annotation(event_id=""),
        _annotation(event_id=["$on"]),
        _annotation(key=""),
        _annotation(key=7),
    ],
)
def test_a_reaction_that_is_none_is_nothing(content: dict[str, Any]) -> None:
    assert to_inbound(_event(content, type="m.reaction"), ROOM, BOT) is None


@pytest.mark.parametrize(
    ("content", "beside"), [({"redacts": "$gone"}, {}), ({}, {"redacts": "$gone"})]
)
def test_a_redaction_names_what_is_gone_in_either_place(
    content: dict[str, Any], beside: dict[str, Any]
) -> None:
    inbound = to_inbound(_event(content, type="m.room.redaction", **beside), ROOM, BOT)
    assert inbound is not None
    assert (inbound.kind, inbound.stands_on) == (InboundKind.REDACTION, "$gone")
    ours = _event(content, type="m.room.redaction", sender=BOT, **beside)
    assert to_inbound(ours, ROOM, BOT) is None


@pytest.mark.parametrize("named", [None, "", 7, ["$gone"]])
def test_a_redaction_of_nothing_is_nothing(named: object) -> None:
    assert to_inbound(_event({"redacts": named}, type="m.room.redaction"), ROOM, BOT) is None


def test_our_own_mark_is_nothing() -> None:
    assert to_inbound(_event(_annotation(), type="m.reaction", sender=BOT), ROOM, BOT) is None


def test_an_edit_without_new_content_is_still_an_edit() -> None:
    replaces = {"rel_type": "m.replace", "event_id": "$old"}
    inbound = to_inbound(_event(_text("* !rm", **{"m.relates_to": replaces})), ROOM, BOT)
    assert inbound is not None
    assert inbound.kind is InboundKind.EDIT


@pytest.mark.parametrize(
    ("body", "own"),
    [
        (f"> <{ANN}> !rm\n\n!help", "!help"),
        (f"> <{ANN}> one\n> two\n\n!help\n\nmore", "!help\n\nmore"),
        (f"<mx-reply><b>{ANN}</b>\n!rm</mx-reply>!help", "!help"),
        ("> an own quotation\n!help", "> an own quotation\n!help"),
        (f"> <{ANN}> only a quote", ""),
    ],
)
def test_the_quote_in_front_of_a_reply_is_not_its_text(body: str, own: str) -> None:
    relation = {"m.relates_to": {"m.in_reply_to": {"event_id": "$to"}}}
    answer = to_inbound(_event(_text(body, **relation)), ROOM, BOT)
    assert answer is not None
    assert answer.text == own
    alone = to_inbound(_event(_text(body)), ROOM, BOT)
    assert alone is not None
    assert alone.text == body


@pytest.mark.parametrize(
    ("content", "more"),
    [
        (_text("own"), {"sender": BOT}),
        ({"msgtype": "m.notice", "body": "another bot"}, {}),
        ({"msgtype": "m.emote", "body": "waves"}, {}),
        ({}, {}),
        (_text("state"), {"state_key": ""}),
        (_text("other"), {"type": "m.reaction"}),
    ],
)
def test_what_is_not_a_person_s_text_is_nothing(
    content: dict[str, Any], more: dict[str, Any]
) -> None:
    assert to_inbound(_event(content, **more), ROOM, BOT) is None


@pytest.mark.parametrize(
    ("before", "entered"),
    [({}, True), ({"membership": "invite"}, True), ({"membership": "join"}, False), (None, True)],
)
def test_a_changed_name_is_no_entry(before: object, entered: bool) -> None:
    event = _event(
        {"membership": "join"},
        type="m.room.member",
        state_key=BOT,
        unsigned={"prev_content": before},
    )
    assert is_own_join(event, BOT) is entered
    assert not is_own_join(event, ANN)
