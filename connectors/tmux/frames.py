"""What a console and the daemon say to each other: one JSON object a frame, told apart by ``frame``."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.errors import UserError
from bot.model import MessageKind

LONGEST = 200_000
"""Characters of one line that a person may say."""

Identifier = Annotated[str, Field(min_length=1, max_length=200)]


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    def json_ready(self) -> dict[str, Any]:
        """Return the frame as values that JSON can hold."""
        return self.model_dump(mode="json")


class Seen(_Frame):
    """One part of a message that a console has shown."""

    message_id: Identifier
    part: int = Field(ge=0)

    @property
    def key(self) -> tuple[str, int]:
        """What it is known by."""
        return self.message_id, self.part


class Hello(_Frame):
    """A console begins: who it is, and what it has shown already."""

    frame: Literal["hello"] = "hello"
    client_id: Identifier
    pid: int = 0
    seen: tuple[Seen, ...] = Field(default=(), max_length=1_000)


class Line(_Frame):
    """A person said something; it is sent again after a broken line until ``taken`` or ``refused`` comes."""

    frame: Literal["line"] = "line"
    event_id: Identifier
    text: str = Field(min_length=1, max_length=LONGEST)
    thread: Identifier | None = None


class Shown(Seen):
    """The console has put one part of a message, or a mark, before its person."""

    frame: Literal["shown"] = "shown"


class Said(_Frame):
    """One part of a message to be shown; a second time it is only acknowledged."""

    frame: Literal["message"] = "message"
    message_id: str
    part: int
    kind: MessageKind
    text: str
    author: str
    at: datetime
    thread: str | None = None
    reply_to: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What it is known by."""
        return self.message_id, self.part


class Reaction(_Frame):
    """A mark beside somebody's line; acknowledged as a message is."""

    frame: Literal["reaction"] = "reaction"
    message_id: str
    part: int
    mark: str
    event_id: str

    @property
    def key(self) -> tuple[str, int]:
        """What it is known by."""
        return self.message_id, self.part


class Spoken(_Frame):
    """What a person said in another console, or before this one was opened."""

    frame: Literal["spoken"] = "spoken"
    event_id: str
    text: str
    author: str
    at: datetime
    thread: str | None = None


class Taken(_Frame):
    """A line is stored: it need not be sent again."""

    frame: Literal["taken"] = "taken"
    event_id: str


class Refused(_Frame):
    """A frame cannot be taken; ``event_id`` names the line if it was one, which is not sent again."""

    frame: Literal["refused"] = "refused"
    reason: str
    event_id: str | None = None


class Typing(_Frame):
    """Somebody is at work on an answer, or no longer."""

    frame: Literal["typing"] = "typing"
    active: bool


class Status(_Frame):
    """How things are, said first and after every change: who else is here."""

    frame: Literal["status"] = "status"
    consoles: int
    detail: str = ""


FromConsole = Annotated[Hello | Line | Shown, Field(discriminator="frame")]
ToConsole = Annotated[
    Said | Reaction | Spoken | Taken | Refused | Typing | Status, Field(discriminator="frame")
]

_FROM_CONSOLE: TypeAdapter[Hello | Line | Shown] = TypeAdapter(FromConsole)
_TO_CONSOLE: TypeAdapter[Said | Reaction | Spoken | Taken | Refused | Typing | Status] = (
    TypeAdapter(ToConsole)
)


def read_from_console(values: Any) -> Hello | Line | Shown:
    """Return the frame that a console sent; UserError naming the field for anything else."""
    try:
        return _FROM_CONSOLE.validate_python(values)
    except ValidationError as error:
        raise UserError(_fault_of(error)) from error


def read_from_daemon(
    values: Any,
) -> Said | Reaction | Spoken | Taken | Refused | Typing | Status:
    """Return the frame that the daemon sent; UserError naming the field for anything else."""
    try:
        return _TO_CONSOLE.validate_python(values)
    except ValidationError as error:
        raise UserError(_fault_of(error)) from error


def _fault_of(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"]) or "frame"
    return f"not a frame: {place}: {first['msg']}"
