"""The three kinds of failure, each handled in its own way; anything else is a bug.

    MosaicError
    ├── UserError        tell the person, never retry
    ├── TransientError   try again later, with back-off
    │   └── PausedError  the same, and waiting for a pause never counts as failing
    └── SetupError       stop this part, keep the rest, tell the operator

A new class needs a caller who treats it differently. Errors are handled in the router, the worker,
the parts' supervision and web's problem answers, and nowhere else; each edge translates its library's
errors once, with ``raise … from``.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any


class MosaicError(Exception):
    """The root: a failure that somebody handles.

    ``code`` is a stable word for programs, ``hint`` says what a person can do about it.
    """

    code = "failed"

    def __init__(self, message: str, *, code: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code


class UserError(MosaicError):
    """What was asked cannot be done as asked; the text says which value is wrong and what is allowed."""

    code = "refused"


class UsageError(UserError):
    """The words of a command do not fit its grammar (exit status 2 on the command line)."""

    code = "usage"


class ConfirmationRequired(UserError):  # noqa: N818 - a question, not a fault
    """The command is destructive and waits for a yes; ``question`` says what will happen.

    ``preview`` are the blocks of a reply that show it, as they are or as JSON has them, and ``preview_id`` names
    them: a yes that names them too is to nothing else.
    """

    code = "confirmation_required"

    def __init__(
        self, question: str, preview: Sequence[Any] = (), preview_id: str | None = None
    ) -> None:
        super().__init__(question, hint="repeat it with a confirmation")
        self.preview = preview
        self.preview_id = preview_id


class TransientError(MosaicError):
    """The other side is away or busy; the same call may work later.

    ``retry_after`` is the other side's own word on when, if it gave one.
    """

    code = "unavailable"

    def __init__(
        self, message: str, *, retry_after: timedelta | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class PausedError(TransientError):
    """A pause stands: the same call works once it is lifted, however long that takes."""

    code = "paused"


class SetupError(MosaicError):
    """A part cannot work until a person changes something (a token, a file, a right)."""

    code = "setup"
