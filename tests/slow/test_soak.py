"""A small soak: all the kills and restarts of bench-soak in few messages; nothing is lost, doubled or out of order."""

import os
import secrets
import tempfile
from pathlib import Path

import pytest

from tests.bench.soak.plan import PRIVATE_QUICK, QUICK, Plan
from tests.bench.soak.run import soak
from tests.bench.soak.table import table, verdict

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "plan", [pytest.param(QUICK, id="clear"), pytest.param(PRIVATE_QUICK, id="encrypted")]
)
async def test_every_message_is_answered_once_and_in_order(
    plan: Plan, short_directory: Path
) -> None:
    seed = int(os.environ.get("SOAK_SEED") or secrets.randbelow(2**32))
    print(f"SOAK_SEED={seed}")  # noqa: T201 - pytest shows it with a failure
    directory = Path(tempfile.mkdtemp(dir=short_directory))
    outcome = await soak(plan, directory, seed, print)
    print(*table(outcome), sep="\n")  # noqa: T201 - pytest shows it with a failure
    assert verdict(outcome) == []
    assert outcome.bots[0].installation.bugs() == []
