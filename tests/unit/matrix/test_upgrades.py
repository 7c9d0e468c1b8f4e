"""Which room's words go where once rooms were replaced; no homeserver is asked."""

from dataclasses import replace

from bot.model import Address, MessageKind, OutboundMessage
from connectors.matrix.session import Session
from connectors.matrix.upgrades import Upgrades

SAID = OutboundMessage(
    "m", 0, "t", Address("matrix", "!a", "$root"), MessageKind.REPLY, "words", reply_to="$said"
)


async def _nothing(*_words: str) -> None:
    return None


def _upgrades(**known: str) -> Upgrades:
    successors = {f"!{old}": f"!{new}" for old, new in known.items()}
    session = Session("http://127.0.0.1:1", "@mosaic:example.org", "token")
    return Upgrades(session, _nothing, successors, moved=_nothing, farewell=_nothing)


async def test_the_last_of_a_row_of_rooms_counts() -> None:
    upgrades = _upgrades(a="b", b="c")
    assert [upgrades.current(room) for room in ("!a", "!b", "!c", "!x")] == ["!c", "!c", "!c", "!x"]
    assert [upgrades.is_heir(room) for room in ("!a", "!b", "!c")] == [False, True, True]


async def test_a_circle_of_rooms_ends() -> None:
    assert _upgrades(a="b", b="a").current("!a") in {"!a", "!b"}


async def test_words_go_on_without_what_they_hung_on_and_marks_and_edits_do_not() -> None:
    upgrades = _upgrades(a="b")
    assert upgrades.forward(SAID) == replace(SAID, to=Address("matrix", "!b"), reply_to=None)
    assert upgrades.forward(replace(SAID, kind=MessageKind.REACTION)) is None
    assert upgrades.forward(replace(SAID, replaced_event="$old")) is None
    here = replace(SAID, to=Address("matrix", "!b", "$root"))
    assert upgrades.forward(here) is here
