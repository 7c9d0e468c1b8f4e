"""Reading a request's body: JSON that is what it says, of a bounded size and depth."""

import json
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.asked import Yes
from bot.errors import UsageError, UserError

MOST_BYTES = 16 * 1024 * 1024
"""Room for a file of cards, however its characters are escaped."""
DEEPEST = 64
"""Levels of arrays and objects; nothing that we take needs more than a few."""


class RunRequest(BaseModel):
    """The words of a command, as a shell has split them; ``confirmed`` is the yes to its question.

    With ``preview_id`` the yes is to what was shown with the question, and to nothing else.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    words: list[str] = Field(min_length=1, max_length=1000)
    confirmed: bool = False
    preview_id: str | None = None

    @property
    def yes(self) -> Yes | None:
        """The yes, as the command core has it."""
        return Yes(self.preview_id) if self.confirmed else None


class StopRequest(BaseModel):
    """How the daemon is to stop; without ``keep_agents`` the agents stop with it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    keep_agents: bool = False


Body = TypeVar("Body", bound=BaseModel)


async def read_object(request: web.Request) -> dict[str, Any]:
    """Return the body, a JSON object; an empty body is an empty object.

    Raises UsageError for anything else, and for text that no database can hold (NUL, half a surrogate pair).
    """
    raw = await _read_whole(request)
    if not raw.strip():
        return {}
    value = _parse(raw)
    if not isinstance(value, dict):
        raise UsageError(f"the body must be a JSON object, not {_kind(value)}")
    check_storable(value)
    return value


async def read_body(request: web.Request, model: type[Body]) -> Body:
    """Return the body as a ``model``; UsageError names every field that does not fit."""
    try:
        return model.model_validate(await read_object(request))
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(str(step) for step in detail['loc'])}: {detail['msg']}"
            for detail in error.errors(include_input=False, include_url=False)[:5]
        )
        allowed = ", ".join(model.model_fields)
        raise UsageError(f"the body is refused: {found}", hint=f"allowed: {allowed}") from error


async def _read_whole(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise UsageError(
            "the body cannot be decoded", hint="check Content-Encoding and Transfer-Encoding"
        ) from error
    except ConnectionError as error:
        raise UserError("the caller hung up before the body was whole", code="invalid") from error


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise UsageError(f"the body is not UTF-8: byte {error.start} fits nowhere") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise UsageError(f"the body is not JSON: {error}") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _too_deep() -> UsageError:
    return UsageError(f"the body is nested deeper than {DEEPEST} levels")


def _kind(value: Any) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def check_storable(value: Any) -> None:
    """Raise UsageError for a value that is nested too deep, or holds text that no database can hold."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            _check_text(item)
        elif isinstance(item, dict | list):
            if depth > DEEPEST:
                raise _too_deep()
            inner = [*item, *item.values()] if isinstance(item, dict) else item
            waiting.extend((part, depth + 1) for part in inner)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise UsageError("a text holds the character NUL (U+0000), which cannot be stored")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"a text is not valid Unicode: half a surrogate pair at character {error.start + 1}",
            hint="it was probably bytes that are not UTF-8",
        ) from error
