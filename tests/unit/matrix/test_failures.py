"""A homeserver's refusals become our errors."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import MosaicError, SetupError, TransientError, UserError
from connectors.matrix.failures import read_refusal, translate


def _error(status: int, body: object, **headers: str) -> MosaicError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return translate(read_refusal(status, named, body), "trying")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "M_UNKNOWN_TOKEN", SetupError),
        (401, "M_MISSING_TOKEN", SetupError),
        (403, "M_USER_DEACTIVATED", SetupError),
        (403, "M_FORBIDDEN", UserError),
        (413, "M_TOO_LARGE", UserError),
        (404, "M_NOT_FOUND", UserError),
        (400, "M_UNKNOWN", UserError),
        (429, "M_LIMIT_EXCEEDED", TransientError),
        (500, "M_UNKNOWN", TransientError),
        (503, "", TransientError),
    ],
)
def test_a_refusal_is_one_of_three_errors(status: int, code: str, kind: type[MosaicError]) -> None:
    error = _error(status, {"errcode": code, "error": "why"})
    assert type(error) is kind
    assert str(status) in error.message
    if kind is UserError:
        assert error.code == code


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({"retry_after_ms": 1500}, {}, 1.5),
        ({}, {"Retry_After": "3"}, 3),
        ({"retry_after_ms": 1500}, {"Retry_After": "3"}, 3),
        ({"retry_after_ms": 10**15}, {"Retry_After": "9" * 40}, 3600),
    ],
)
def test_the_longer_of_both_waits_counts(
    body: dict[str, Any], headers: dict[str, str], seconds: float
) -> None:
    error = _error(429, {"errcode": "M_LIMIT_EXCEEDED", **body}, **headers)
    assert isinstance(error, TransientError)
    assert error.retry_after == timedelta(seconds=seconds)


def test_a_wait_may_be_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=90)
    error = _error(503, None, Retry_After=format_datetime(moment, usegmt=True))
    assert isinstance(error, TransientError)
    assert error.retry_after is not None
    assert timedelta(seconds=80) < error.retry_after <= timedelta(seconds=90)


@given(
    st.integers(100, 599),
    st.none()
    | st.text()
    | st.dictionaries(
        st.sampled_from(["errcode", "error", "retry_after_ms"]),
        st.none() | st.booleans() | st.text() | st.integers() | st.floats(),
    ),
    st.text(),
)
def test_no_refusal_whatever_breaks_the_reading(status: int, body: object, header: str) -> None:
    error = _error(status, body, Retry_After=header)
    if isinstance(error, TransientError) and error.retry_after is not None:
        assert timedelta() <= error.retry_after <= timedelta(hours=1)


def test_a_date_counts_from_the_servers_own_clock_however_wrong_it_is() -> None:
    for year in (1999, 2026, 2199):
        now = datetime(year, 5, 1, tzinfo=UTC)
        later = format_datetime(now + timedelta(seconds=7), usegmt=True)
        error = _error(429, None, Retry_After=later, Date=format_datetime(now, usegmt=True))
        assert isinstance(error, TransientError)
        assert error.retry_after == timedelta(seconds=7)


def test_a_soft_logout_asks_for_the_same_device() -> None:
    body = {"errcode": "M_UNKNOWN_TOKEN", "error": "why", "soft_logout": True}
    assert "same device" in (_error(401, body).hint or "")
    assert "same device" not in (_error(401, body | {"soft_logout": False}).hint or "")
