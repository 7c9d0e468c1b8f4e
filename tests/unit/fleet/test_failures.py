"""What ended a turn: its kind, and a line that gives no secret away."""

import pytest

from bot.agents.failure import FailureKind, TurnFailure, failure_in, receipt_of
from bot.model import Receipt, ReceiptState
from fleet.turns.failures import failure_of, readable


@pytest.mark.parametrize(
    ("code", "detail", "kind"),
    [
        ("rate_limit", "", FailureKind.LIMIT),
        ("billing_error", "Credit balance is too low", FailureKind.LIMIT),
        ('"usage_limit_exceeded"', "You have hit your usage limit.", FailureKind.LIMIT),
        ("APIError 429 {}", "slow down", FailureKind.LIMIT),
        ("error", "429 You exceeded your current quota", FailureKind.LIMIT),
        ("error", '{"status":"RESOURCE_EXHAUSTED"}', FailureKind.LIMIT),
        ("overloaded", "Overloaded", FailureKind.ERROR),
        ("unknown", "API Error: 400 bad request here", FailureKind.ERROR),
        ("error", "4290 words are too many", FailureKind.ERROR),
        ("interrupted", "Request was aborted.", FailureKind.INTERRUPTED),
        ("MessageAbortedError", "The operation was aborted.", FailureKind.INTERRUPTED),
    ],
)
def test_a_failure_has_a_kind(code: str, detail: str, kind: FailureKind) -> None:
    assert failure_of(code, detail).kind is kind


@pytest.mark.parametrize(
    ("detail", "line"),
    [
        ('{"error":{"message":"bad\\n request","type":"x"}}', "bad request"),
        ('400 {"type":"error","error":{"type":"x","message":"no"}}', "400 no"),
        ("400 {broken", "400 {broken"),
        ("{}", ""),
        ("Incorrect API key provided: sk-proj-abcdef123.", "Incorrect API key provided: …"),
        ("Authorization: Bearer abc.def-ghi failed", "Authorization: … failed"),
        ("see AIzaSyD4x8F0abcdefghijk1234567890 there", "see … there"),
        ("internationalisation is a long word", "internationalisation is a long word"),
        ("x " * 400, f"{'x ' * 149}x…"),
    ],
)
def test_people_read_one_line_without_secrets(detail: str, line: str) -> None:
    assert readable(detail) == line


def test_a_receipt_tells_others_what_ended_the_turn() -> None:
    receipt = receipt_of("m1", TurnFailure(FailureKind.LIMIT, "until Monday"))
    assert (receipt.state, receipt.reason) == (ReceiptState.FAILED, "limit: until Monday")
    assert failure_in(receipt) is FailureKind.LIMIT
    assert failure_in(Receipt("m1", ReceiptState.FAILED, reason="limit: no such room")) is None
    assert failure_in(Receipt("m1", ReceiptState.ANSWERED, evidence={"answer": "limit"})) is None
