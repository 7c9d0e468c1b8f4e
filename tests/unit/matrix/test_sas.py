"""What two devices compute when they verify each other: the same on both sides, and nothing a third can bend."""

import pytest

from connectors.matrix.crypto.sas import Secret, SharedSecret, Side, commitment

ANN = Side("@ann:e.org", "PHONE", "ann's key")
BOT = Side("@bot:e.org", "DAEMON", "the bot's key")
ANNS = {"ed25519:PHONE": "ann's key", "ed25519:MASTER": "her master key"}


def meet() -> tuple[SharedSecret, SharedSecret]:
    ann, bot = Secret(), Secret()
    keys = ann.public_key, bot.public_key
    return ann.shared(keys[1]), bot.shared(keys[0])


def test_a_commitment_is_the_digest_of_key_and_canonical_start_in_unpadded_base64() -> None:
    expected = "ksb8eOueK6+Pic7rTODDHIcnXYPUEX5Y4932RfrW9MQ"
    assert commitment("key", {"b": "ü", "a": 1}) == expected


@pytest.mark.parametrize("begun_by_ann", [True, False])
def test_both_show_the_same_seven_symbols(begun_by_ann: bool) -> None:
    ann, bot = meet()
    hers = ann.symbols(ANN, BOT, "T", begun_here=begun_by_ann)
    assert len(hers) == 7
    assert hers == bot.symbols(BOT, ANN, "T", begun_here=not begun_by_ann)
    assert hers != bot.symbols(BOT, ANN, "another", begun_here=not begun_by_ann)


def test_codes_prove_the_keys_that_are_known_and_say_nothing_of_others() -> None:
    ann, bot = meet()
    told = ann.codes(ANN, BOT, "T", ANNS)
    assert bot.proves(BOT, ANN, "T", told, ANNS) == set(ANNS)
    assert bot.proves(BOT, ANN, "T", told, {"ed25519:PHONE": "ann's key"}) == {"ed25519:PHONE"}


@pytest.mark.parametrize(
    "keys", [{"ed25519:PHONE": "eve's key"}, {**ANNS, "ed25519:MASTER": "eve's master key"}]
)
def test_another_key_than_the_one_that_was_proved_is_refused(keys: dict[str, str]) -> None:
    ann, bot = meet()
    with pytest.raises(ValueError):  # noqa: PT011 - vodozemac's own words
        bot.proves(BOT, ANN, "T", ann.codes(ANN, BOT, "T", ANNS), keys)


@pytest.mark.parametrize(
    "change", [{"mac": {}}, {"mac": None}, {"mac": {"ed25519:PHONE": 1}}, {"keys": None}]
)
def test_codes_that_are_none_are_refused(change: dict[str, object]) -> None:
    ann, bot = meet()
    told = {**ann.codes(ANN, BOT, "T", ANNS), **change}
    with pytest.raises(ValueError):  # noqa: PT011 - vodozemac's own words
        bot.proves(BOT, ANN, "T", told, ANNS)


def test_a_third_who_stands_in_between_sees_other_symbols() -> None:
    ann, eve, bot, other = Secret(), Secret(), Secret(), Secret()
    keys = [one.public_key for one in (ann, eve, bot, other)]
    hers = ann.shared(keys[1]).symbols(ANN, BOT, "T", begun_here=True)
    ours = bot.shared(keys[3]).symbols(BOT, ANN, "T", begun_here=False)
    assert hers != ours
