"""The port Briefs: one suite for the fleet on tmux and for memory."""

from pathlib import Path

import pytest

from bot.agents.briefs import Briefs
from bot.errors import UserError
from fleet.host.briefs import LocalBriefs
from tests.contract.test_fleet import AGENTS, local_fleet
from tests.fakes.briefs import MemoryBriefs
from tests.fakes.fleet import MemoryFleet


@pytest.fixture(params=["memory", "local"])
def briefs(request: pytest.FixtureRequest, tmp_path: Path) -> Briefs:
    if request.param == "memory":
        return MemoryBriefs(MemoryFleet(*AGENTS))
    return LocalBriefs(local_fleet(tmp_path))


def test_an_agents_prompt_holds_its_comms_block(briefs: Briefs) -> None:
    block = briefs.comms_block("coder0", None)
    assert "You are `coder0`" in block
    assert block in [piece.text for piece in briefs.prompt("coder0")]


def test_an_unknown_role_is_refused_with_those_that_there_are(briefs: Briefs) -> None:
    for asked in (lambda: briefs.comms_block("nobody", None), lambda: briefs.prompt("nobody")):
        with pytest.raises(UserError, match="coder0, lead"):
            asked()


def test_every_piece_says_about_how_many_tokens_it_has(briefs: Briefs) -> None:
    for piece in briefs.prompt("coder0"):
        assert 0 < piece.tokens < len(piece.text)
