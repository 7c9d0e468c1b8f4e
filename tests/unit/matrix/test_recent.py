"""Who is called by what we say, and which event is a thread's last."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.model import Address, Inbound, InboundKind, MessageKind, OutboundMessage, Principal
from connectors.matrix.recent import Recent

ROOM = Address("matrix", "!r:e.org")
THREAD = Address("matrix", "!r:e.org", "$root")
ANN = Principal("matrix:@ann:e.org", "ann")
SAID = OutboundMessage("m", 0, "t", THREAD, MessageKind.ANSWER, "x", reply_to="$asked")


def heard(event_id: str, source: Address = THREAD, kind: InboundKind = InboundKind.TEXT) -> Inbound:
    return Inbound(event_id, source, ANN, "x", datetime.now(UTC), kind)


def test_the_one_who_asked_is_called_also_after_a_restart_and_once() -> None:
    recent = Recent()
    assert recent.mentioned(SAID) is None
    assert recent.mentioned(replace(SAID, answers=ANN.id)) == "@ann:e.org"
    assert recent.mentioned(replace(SAID, answers="local:1000")) is None
    assert recent.mentioned(replace(SAID, answers=ANN.id, part=1)) is None
    recent.hear([heard("$asked", ROOM)])
    assert recent.mentioned(SAID) == "@ann:e.org"
    assert recent.mentioned(replace(SAID, reply_to=None)) is None


def test_a_thread_s_last_event_is_what_was_said_there_last() -> None:
    recent = Recent()
    assert recent.end_of_thread(SAID) is None
    recent.hear([heard("$1"), heard("$2", ROOM), heard("$3", kind=InboundKind.EDIT)])
    assert recent.end_of_thread(SAID) == "$1"
    recent.say(SAID, "$4")
    recent.say(replace(SAID, replaced_event="$4"), "$5")
    recent.say(replace(SAID, to=ROOM), "$6")
    assert recent.end_of_thread(SAID) == "$4"


def test_only_the_newest_are_kept() -> None:
    recent = Recent()
    recent.hear([heard(f"${number}", ROOM) for number in range(3000)])
    assert recent.mentioned(replace(SAID, reply_to="$0")) is None
    assert recent.mentioned(replace(SAID, reply_to="$2999")) == "@ann:e.org"
