"""Receipts at a dialog in which a real program asks for leave to act: nothing of ours ever answers it.

The model orders a shell command that makes a file. As long as the file is not there, nobody gave leave.
"""

from pathlib import Path

import pytest

from bot.agents.sessions import DialogKey
from bot.model import ReceiptState
from fleet.delivery.keyboard import Look, Patience
from fleet.tmux.screen import Reading, ScreenState
from fleet.watch.dialogs import LocalDialogs
from tests.stages.campaign import Campaign
from tests.stages.watch import START_SECONDS
from tests.waiting import until

pytestmark = pytest.mark.runtimes

ROUNDS = 1
NEVER_ASKS = {"pi"}
"""It has no such dialog: what its model orders is done at once."""


async def test_a_dialog_for_leave_is_waited_for_until_an_operator_answers_it(
    campaign: Campaign,
) -> None:
    if campaign.name in NEVER_ASKS:
        await _acts_unasked(campaign)
        return
    for number in range(ROUNDS):
        refused = await _asked(campaign, f"refused {number}")
        await _answered(campaign, "escape")
        await campaign.take("after leave was refused", "now it is closed", key=f"{number}")
        assert not refused.exists()
        allowed = await _asked(campaign, f"allowed {number}")
        await _answered(campaign, "enter")
        await until(allowed.exists, START_SECONDS, "the command to be run")
        await campaign.take("after leave was given", "now it is done", key=f"{number}")
        assert not refused.exists()
    assert len(campaign.watch.dialogs) == 2 * ROUNDS, "each is called out once"


async def _asked(campaign: Campaign, key: str) -> Path:
    """Let the program ask for leave, and mail wait for that; return the file that the command would make."""
    await campaign.watch.until_available(campaign.name)
    target = campaign.work / f"leave-{key.replace(' ', '-')}"
    campaign.model.order = f"touch {target}"
    first = campaign.stage.mail(campaign.name, "please make that file", key=key)
    result = await campaign.send("begins a turn that asks", first, Patience())
    assert result.state is ReceiptState.ACCEPTED, (result, await campaign.rows())

    async def drawn() -> bool:
        # opencode draws its question first and the command later; Gemini CLI has the command above it.
        rows = _dialog(await campaign.look())[1]
        named = campaign.name == "gemini" or any(target.name in row for row in rows)
        return named and await _is_open(campaign)

    await campaign.until(drawn, "the dialog")
    await campaign.watch.lookout.look()
    dialog = campaign.watch.dialogs[-1]
    assert dialog.title not in {"", "untitled"}
    before = _dialog(await campaign.look())
    await campaign.refuse("at a dialog for leave", "a dialog is open: .", key=key)
    after = _dialog(await campaign.look())
    if target.exists() or after != before:
        campaign.dialogs_answered += 1
        pytest.fail(f"{before}\n{after}")
    return target


def _dialog(seen: Look) -> tuple[Reading, list[str]]:
    """Return how a dialog is read, and what stands from its title downwards: above it a mark may blink."""
    rows = [row.rstrip() for row in seen.screen.rows]
    title = (seen.reading.dialog or "")[:12]
    begin = max((at for at, row in enumerate(rows) if title in row), default=0)
    return seen.reading, rows[begin:]


async def _is_open(campaign: Campaign) -> bool:
    return (await campaign.look()).reading.state is ScreenState.BLOCKED


async def _answered(campaign: Campaign, key: DialogKey) -> None:
    await LocalDialogs(campaign.stage.fleet, campaign.stage.pauses).answer(campaign.name, key)

    async def closed() -> bool:
        return not await _is_open(campaign)

    await campaign.until(closed, "the dialog to be closed")


async def _acts_unasked(campaign: Campaign) -> None:
    await campaign.watch.until_available(campaign.name)
    target = campaign.work / "unasked"
    campaign.model.order = f"touch {target}"
    await campaign.take("a turn that acts unasked", "please make that file", key="unasked")
    await until(target.exists, START_SECONDS, "the command to be run")
    await campaign.take("after it acted unasked", "now it is done", key="unasked")
    assert campaign.watch.dialogs == []
