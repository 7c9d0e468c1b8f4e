"""The homeserver's answers, read leniently: an odd event costs itself, never its neighbours.

Source: Matrix client-server API, "Syncing" and "GET /rooms/{roomId}/messages".
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.errors import TransientError

Shape = TypeVar("Shape", bound=BaseModel)


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class RoomEvent(_Lenient):
    """One event as it stands on the wire; nothing in ``content`` has been looked at."""

    event_id: str
    sender: str
    type: str
    content: dict[str, Any]
    origin_server_ts: Any = 0
    state_key: str | None = None
    unsigned: Any = None
    redacts: Any = None


class StrippedEvent(_Lenient):
    """One state event as an invited account sees it."""

    sender: str
    type: str
    content: dict[str, Any]
    state_key: str


class Events(_Lenient):
    """A list of events in which anything may stand."""

    events: tuple[Any, ...] = ()


class Timeline(Events):
    """The newest events of a room; ``limited`` says that older ones since the position are left out."""

    limited: bool = False
    prev_batch: str | None = None


class JoinedRoom(_Lenient):
    """What is new in a room that we are in, or were in until now."""

    state: Events = Events()
    timeline: Timeline = Timeline()


class InvitedRoom(_Lenient):
    """A room that somebody wants us in."""

    invite_state: Events = Events()


class Rooms(_Lenient):
    """What is new per room; a room whose entry is no room is left out."""

    join: dict[str, JoinedRoom] = Field(default_factory=dict)
    invite: dict[str, InvitedRoom] = Field(default_factory=dict)
    leave: dict[str, JoinedRoom] = Field(default_factory=dict)


class SyncAnswer(_Lenient):
    """What /sync says."""

    next_batch: str
    rooms: Rooms = Rooms()

    @field_validator("rooms", mode="before")
    @classmethod
    def _null_is_nothing(cls, value: object) -> object:
        return {} if value is None else value


class HistoryAnswer(_Lenient):
    """What /messages says; no ``end`` means that there is nothing older."""

    chunk: tuple[Any, ...] = ()
    end: str | None = None


def read_answer(shape: type[Shape], told: dict[str, Any]) -> Shape:
    """Return an answer in its shape; TransientError when it is none (a broken server or proxy)."""
    try:
        return shape.model_validate(told)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in fault["loc"])
        raise TransientError(
            f"the homeserver's answer is not Matrix: {where}: {fault['msg']}"
        ) from error


def read_events(shape: type[Shape], events: Sequence[Any]) -> list[Shape]:
    """Return the events that have this shape, in order; the others are nothing to us."""
    read: list[Shape] = []
    for event in events:
        try:
            read.append(shape.model_validate(event))
        except ValidationError:
            continue
    return read
