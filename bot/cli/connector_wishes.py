"""What a person wants of ``mosaic connector discord``, said in flags."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import UsageError

USAGE = (
    "mosaic connector discord [--guild-id G] [--channel-id C] [--cards-channel-id C]"
    " [--token-file FILE] [--operators ID,ID] [--check]"
)
_IDS = ("--guild-id", "--channel-id", "--cards-channel-id")
_VALUES = (*_IDS, "--token-file", "--operators")
_ID_FORM = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the words of the call say; ``check`` looks, and writes nothing down."""

    guild_id: str | None = None
    channel_id: str | None = None
    cards_channel_id: str | None = None
    token_file: str | None = None
    operators: tuple[str, ...] = ()
    check: bool = False


def read_wish(words: Sequence[str]) -> Wish:
    """Return what the words of a command line say; UsageError names what is allowed."""
    values: dict[str, str] = {}
    left = iter(words)
    for word in left:
        flag, given, value = word.partition("=")
        if word == "--check":
            values[word] = "yes"
        elif flag in _VALUES:
            values[flag] = value if given else next(left, "")
            if not values[flag]:
                raise UsageError(f"{flag} needs a value; usage: {USAGE}")
        else:
            raise UsageError(f"{word!r} is not known; usage: {USAGE}")
    for flag in _IDS:
        if flag in values and not _ID_FORM.fullmatch(values[flag]):
            raise UsageError(f"{flag}: {values[flag]!r} is no id; allowed are digits")
    return Wish(
        guild_id=values.get("--guild-id"),
        channel_id=values.get("--channel-id"),
        cards_channel_id=values.get("--cards-channel-id"),
        token_file=values.get("--token-file"),
        operators=_read_operators(values.get("--operators", "")),
        check="--check" in values,
    )


def _read_operators(text: str) -> tuple[str, ...]:
    ids = tuple(part.strip().removeprefix("discord:") for part in text.split(",") if part.strip())
    for one in ids:
        if not _ID_FORM.fullmatch(one):
            raise UsageError(f"--operators: {one!r} is no Discord user id; allowed are digits")
    return tuple(f"discord:{one}" for one in ids)
