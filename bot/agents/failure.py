"""Turns that ended without an answer: what ended them, as a word that others can decide by."""

from dataclasses import dataclass
from enum import StrEnum

from bot.model import Receipt, ReceiptState

_KEY = "failure"


class FailureKind(StrEnum):
    """What ended a turn: a usage limit (try again later), an error, or somebody who pressed the key for it."""

    LIMIT = "limit"
    ERROR = "error"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TurnFailure:
    """Why a turn has no answer; ``detail`` is one line in its program's words, fit for people, or empty."""

    kind: FailureKind
    detail: str = ""

    @property
    def reason(self) -> str:
        """The reason in a receipt: the kind, and the detail after a colon."""
        return f"{self.kind}: {self.detail}" if self.detail else str(self.kind)

    def sentence(self, name: str) -> str:
        """Return what a person is told of it; ``name`` is the agent's."""
        what = {
            FailureKind.LIMIT: "its program has reached a usage limit",
            FailureKind.ERROR: "an error ended its turn",
            FailureKind.INTERRUPTED: "its turn was interrupted",
        }[self.kind]
        told = f"{name} has the message and gave no answer: {what}"
        return f"{told}.\n{self.detail}" if self.detail else f"{told}."


def receipt_of(message_id: str, failure: TurnFailure) -> Receipt:
    """Return the receipt of a message whose turn failed."""
    return Receipt(
        message_id,
        ReceiptState.FAILED,
        by="conversation",
        evidence={_KEY: str(failure.kind)},
        reason=failure.reason,
    )


def failure_in(receipt: Receipt) -> FailureKind | None:
    """Return what ended the turn that a receipt tells of; None for every other receipt.

    A message that was never taken (a dead letter) has no such kind.
    """
    said = receipt.evidence.get(_KEY)
    known = receipt.state is ReceiptState.FAILED and said in set(FailureKind)
    return FailureKind(str(said)) if known else None
