"""A verification word by word: from the request to both sides' yes, and every way in which it breaks."""

from typing import Any

import pytest

from bot.rooms.devices import VerificationStep as Step
from connectors.matrix.crypto.exchange import Exchange, Word
from connectors.matrix.crypto.sas import Side

ANN = Side("@ann:e.org", "PHONE", "ann's key")
BOT = Side("@bot:e.org", "DAEMON", "the bot's key")


def exchange(ours: Side, theirs: Side, *, known: str | None = None) -> Exchange:
    keys = (
        {f"ed25519:{ours.device_id}": ours.ed25519},
        {f"ed25519:{theirs.device_id}": known or theirs.ed25519},
    )
    return Exchange("T", ours, theirs, keys, lambda content: {**content, "transaction_id": "T"})


def talk(first: Exchange, second: Exchange, words: list[Word]) -> list[str]:
    """Let two sides hear each other, the first one's words first; return what was said."""
    said, turn = [], [(second, word) for word in words]
    while turn:
        hearer, word = turn.pop(0)
        said.append(word.kind)
        other = first if hearer is second else second
        turn += [(other, answer) for answer in hearer.hear(word.kind, word.content)]
    return said


def meet(**known: str) -> tuple[Exchange, Exchange]:
    """Return two sides that show their symbols; the bot asked."""
    bot, ann = exchange(BOT, ANN, **known), exchange(ANN, BOT)
    bot.request(0)
    talk(ann, bot, ann.agree())
    return bot, ann


def test_from_a_request_to_the_symbols() -> None:
    bot, ann = exchange(BOT, ANN), exchange(ANN, BOT)
    (asked,) = bot.request(1)
    assert asked.kind == "request"
    assert asked.content["timestamp"] == 1
    assert talk(ann, bot, ann.agree()) == ["ready", "start", "accept", "key", "key"]
    assert bot.symbols == ann.symbols
    assert (bot.step, ann.step, len(bot.symbols)) == (Step.COMPARE, Step.COMPARE, 7)


@pytest.mark.parametrize("order", ["bot first", "ann first"])
def test_it_is_verified_when_both_said_yes(order: str) -> None:
    bot, ann = meet()
    first, second = (bot, ann) if order == "bot first" else (ann, bot)
    assert talk(first, second, first.confirm()) == ["mac"]
    assert (first.step, second.step) == (Step.CONFIRMED, Step.COMPARE)
    assert talk(second, first, second.confirm()) == ["mac", "done", "done"]
    assert (bot.step, ann.step) == (Step.VERIFIED, Step.VERIFIED)
    assert bot.proved == {"ed25519:PHONE"}


@pytest.mark.parametrize("smaller", [ANN, Side("@zoe:e.org", "PHONE", "zoe's key")])
def test_when_both_begin_the_one_that_comes_first_in_order_counts(smaller: Side) -> None:
    bot, other = exchange(BOT, smaller), exchange(smaller, BOT)
    bot.request(0)
    (ours,) = bot.hear("ready", {"methods": ["m.sas.v1"]})
    other.request(0)
    (theirs,) = other.hear("ready", {"methods": ["m.sas.v1"]})
    answers = bot.hear("start", theirs.content), other.hear("start", ours.content)
    sides = (other, bot) if answers[0] else (bot, other)
    assert sum(bool(one) for one in answers) == 1
    assert bool(answers[0]) == (smaller is ANN)
    talk(sides[1], sides[0], list(answers[0] or answers[1]))
    assert bot.symbols == other.symbols != ()


def test_another_key_than_the_known_one_ends_it() -> None:
    bot, ann = meet(known="what the homeserver showed")
    bot.confirm()
    said = talk(ann, bot, ann.confirm())
    assert said == ["mac", "cancel"]
    assert (bot.step, ann.step) == (Step.ENDED, Step.ENDED)
    assert bot.proved == frozenset()


def test_codes_that_leave_the_device_out_end_it() -> None:
    bot, ann = meet()
    shared = ann._shared
    assert shared is not None
    (answer,) = bot.hear("mac", shared.codes(ANN, BOT, "T", {"ed25519:OTHER": "x"}))
    assert answer.content["code"] == "m.key_mismatch"


def test_a_key_that_was_chosen_after_the_other_was_seen_ends_it() -> None:
    bot, ann = exchange(BOT, ANN), exchange(ANN, BOT)
    bot.request(0)
    (start,) = bot.hear("ready", {"methods": ["m.sas.v1"]})
    (accept,) = ann.hear("start", start.content)
    bot.hear("accept", accept.content)
    (answer,) = bot.hear("key", {"key": exchange(ANN, BOT)._secret.public_key})
    assert (answer.kind, answer.content["code"]) == ("cancel", "m.mismatched_commitment")


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("key", {"key": "x"}, "m.unexpected_message"),
        ("mac", {"mac": {}}, "m.unexpected_message"),
        ("accept", {}, "m.unexpected_message"),
        ("start", {"method": "m.qr_code.scan.v1"}, "m.unknown_method"),
        ("start", {"method": "m.sas.v1", "hashes": None}, "m.unknown_method"),
        ("whatever", {}, "m.unexpected_message"),
    ],
)
def test_what_is_out_of_turn_or_unknown_ends_it(
    kind: str, content: dict[str, Any], code: str
) -> None:
    bot = exchange(BOT, ANN)
    bot.agree()
    (answer,) = bot.hear(kind, content)
    assert (answer.kind, answer.content["code"]) == ("cancel", code)
    assert bot.is_over
    assert bot.hear("start", {}) == []


def test_a_key_that_is_none_ends_it() -> None:
    bot, ann = exchange(BOT, ANN), exchange(ANN, BOT)
    ann.request(0)
    (start,) = ann.hear("ready", {"methods": ["m.sas.v1"]})
    bot.hear("start", start.content)
    (answer,) = bot.hear("key", {"key": "no key"})
    assert answer.content["code"] == "m.invalid_message"


def test_text_that_is_none_ends_it() -> None:
    bot, ann = exchange(BOT, ANN), exchange(ANN, BOT)
    ann.request(0)
    (start,) = ann.hear("ready", {"methods": ["m.sas.v1"]})
    (answer,) = bot.hear("start", {**start.content, "more": "\ud800"})
    assert answer.content["code"] == "m.invalid_message"


def test_a_word_that_comes_twice_is_one_and_a_different_one_ends_it() -> None:
    bot, ann = exchange(BOT, ANN), exchange(ANN, BOT)
    ann.request(0)
    (start,) = ann.hear("ready", {"methods": ["m.sas.v1"]})
    assert len(bot.hear("start", start.content)) == 1
    assert bot.hear("start", start.content) == []
    (answer,) = bot.hear("start", {**start.content, "hashes": ["sha256", "more"]})
    assert answer.content["code"] == "m.unexpected_message"


def test_it_ends_when_the_other_breaks_it_off_and_nothing_is_answered() -> None:
    bot, _ = meet()
    assert bot.hear("cancel", {"code": "m.user", "reason": "no time"}) == []
    assert (bot.step, bot.why) == (Step.ENDED, "the other device broke it off: no time")
