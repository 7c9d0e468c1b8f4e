"""Exit statuses (spec 3-contracts): 0 done, 1 refused or failed, 2 usage, 3 no daemon, 4 not verified."""

import pytest

from bot.cli.client import NotRunning, exit_status
from bot.cli.reference import CODES
from bot.cli.running import status_of


@pytest.mark.parametrize(
    ("code", "status"),
    [("usage", 2), ("unknown_command", 2), (NotRunning().code, 3), ("refused", 1), ("bug", 1)],
)
def test_a_code_has_its_exit_status(code: str, status: int) -> None:
    assert exit_status(code) == status
    assert code in CODES


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("accepted", 0),
        ("answered", 0),
        ("failed", 1),
        ("waiting", 4),
        ("unknown", 4),
        ("stored", 4),
        ("typed", 4),
    ],
)
def test_a_message_to_be_verified_ends_as_far_as_it_came(state: str, status: int) -> None:
    words = ["agent", "send", "coder0", "hi"]
    assert status_of([*words, "--verify"], {"state": state}) == status
    assert status_of(words, {"state": state}) == 0
    assert status_of(["backlog", "show", "A1"], {"state": state}) == 0
