"""What may be said of a card: the annotations of the backlog's arguments (spec 3-contracts, Backlog CLI)."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from bot.command.declare import CommaList, Help, JsonText, Names, Subject

_ACCEPTANCE_BYTES = 65_536
_DEPTH = 64


def _refuse_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold a NUL byte")
    return text


def one_line(text: str) -> str:
    """Return a text of one line; ValueError when it holds a control character."""
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        raise ValueError("must be one line without control characters")
    return text


def _bound_depth(value: object) -> object:
    """Refuse what nests deeper than parser and database should bear; in text, brackets in strings count too."""
    deepest = _bracket_depth(value) if isinstance(value, str) else _value_depth(value)
    if deepest > _DEPTH:
        raise ValueError(f"must not nest deeper than {_DEPTH}")
    return value


def _bracket_depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character in "[{") - (character in "]}")
        deepest = max(deepest, depth)
    return deepest


def _value_depth(value: object) -> int:
    depth, level = 0, [value]
    while level and depth <= _DEPTH:
        level = [inner for item in level for inner in _inner(item)]
        depth += 1
    return depth


def _inner(value: object) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _texts(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        pending += _inner(item)


def _storable_json(value: Any) -> Any:
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except UnicodeEncodeError as error:
        raise ValueError("must be Unicode without lone surrogates") from error
    except ValueError as error:
        raise ValueError("must hold finite numbers only") from error
    if size > _ACCEPTANCE_BYTES:
        raise ValueError(f"must be at most {_ACCEPTANCE_BYTES} bytes, and it has {size}")
    for text in _texts(value):
        _refuse_nul(text)
    return value


_Line = AfterValidator(one_line)

NewCardId = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
    Help("a card's id: a letter or digit, then up to 63 of letters, digits, . _ -"),
]
CardId = Annotated[NewCardId, Names(Subject.CARD)]
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=300),
    _Line,
    Help("what is to be done, in one line"),
]
Body = Annotated[
    str, Field(max_length=100_000), AfterValidator(_refuse_nul), Help("the whole story")
]
Phase = Annotated[
    str, Field(max_length=100), _Line, Help("the lane of the board; an empty text takes it away")
]
Priority = Annotated[
    int, Field(ge=-(2**31), le=2**31 - 1), Help("the higher the sooner; a new card has 0")
]
DependsOn = Annotated[
    tuple[CardId, ...],
    CommaList,
    Field(max_length=1000),
    Help("ids of cards that must be done before, with commas; an empty text takes them away"),
]
AcceptanceValue = Annotated[Any, BeforeValidator(_bound_depth), AfterValidator(_storable_json)]
"""The same as a value, for who has read it already: a text is a text, not JSON."""
Acceptance = Annotated[
    Any,
    JsonText,
    BeforeValidator(_bound_depth),
    AfterValidator(_storable_json),
    Help("when it counts as done, as JSON"),
]
Key = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    _Line,
    Help("any text that is said once: repeating it changes nothing"),
]
AgentClass = Annotated[
    str,
    Field(max_length=100),
    _Line,
    Names(Subject.PERSONA),
    Help("the class of agent that may do it; empty for any"),
]
AgentName = Annotated[
    str,
    Field(max_length=100),
    _Line,
    Names(Subject.AGENT),
    Help("the agent that may do it; empty for any"),
]
HostName = Annotated[
    str, Field(max_length=255), _Line, Help("the host where it may be done; empty for any")
]
Owner = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=255),
    _Line,
    Help("who will do it; `me` is you"),
]
Seconds = Annotated[
    int, Field(ge=1, le=604_800), Help("how long the claim lasts, in seconds, up to 7 days")
]
Token = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    _Line,
    Help("the claim_token that claim answered with"),
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2000),
    AfterValidator(_refuse_nul),
    Help("why, for people to read"),
]
Limit = Annotated[int, Field(ge=1, le=2**31 - 1), Help("how many at most; without it all")]
