"""What a person is told of a failure: never a traceback, always something to go on with."""

import secrets
from dataclasses import dataclass

import structlog

from bot.errors import MosaicError
from bot.reply import Reply, Text


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure in words: ``code`` for programs, ``message`` and ``hint`` for people."""

    code: str
    message: str
    hint: str | None = None

    @property
    def data(self) -> dict[str, dict[str, str | None]]:
        """The form in which ``--json`` and HTTP show it (spec 3-contracts)."""
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint}}

    @property
    def reply(self) -> Reply:
        """The form in which chat shows it."""
        text = self.message if self.hint is None else f"{self.message} ({self.hint})"
        return Reply(self.data, (Text(f"❌ {text}"),))


def problem_of(error: Exception) -> Problem:
    """Return what to say of an error; one that nobody foresaw is logged under a reference id."""
    if isinstance(error, MosaicError):
        return Problem(error.code, error.message, error.hint)
    reference = secrets.token_hex(4)
    structlog.get_logger(part="problem").error("bug", reference=reference, exc_info=error)
    return Problem(
        "bug",
        f"something went wrong inside Mosaic Fleet, reference {reference}",
        "the log has the details under this reference",
    )
