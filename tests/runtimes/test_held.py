"""Receipts of a real program that is held from outside: they wait, and when it goes on nothing is doubled or lost."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import TransientError
from bot.model import Delivery, Receipt, ReceiptState
from fleet.delivery.keyboard import Patience
from fleet.tmux.terminal import Terminal
from tests.stages.campaign import Campaign
from tests.stages.hold import held_still

pytestmark = pytest.mark.runtimes

ROUNDS = 1
SOON = Patience(
    prompt=timedelta(seconds=0.3), echo=timedelta(seconds=1), first_enter=timedelta(seconds=1)
)
"""It gives up soon while the program is held, and looks for as long as ever when it goes on."""
BODIES = ("please say that you are there", "a longer text of words " * 350)


async def test_a_held_program_is_waited_for_and_given_each_message_once(
    campaign: Campaign,
) -> None:
    await campaign.watch.until_available(campaign.name)
    for number in range(ROUNDS):
        await _held_before(campaign, key=f"before {number}")
        for size, body in enumerate(BODIES):
            await _held_at_typing(campaign, body, key=f"typing {number} {size}")
        if not await campaign.has_hatch():  # no Enter is pressed for what goes through one
            await _held_at_enter(campaign, key=f"enter {number}")
    await campaign.watch.until_available(campaign.name)


async def _held_before(campaign: Campaign, key: str) -> None:
    """Not one byte is typed into a program that is seen to be held."""
    async with held_still((await campaign.door()).pane.pid):
        await campaign.refuse("held", "its program is held", key=key)
    await campaign.take("after it was held", "now you can", key=key)


async def _held_at_typing(campaign: Campaign, body: str, key: str) -> None:
    """It is held just before the paste, or the hand-over: it has the text when it goes on, and takes it then."""
    await campaign.watch.until_available(campaign.name)
    delivery = campaign.stage.mail(campaign.name, body, key=key)
    async with AsyncExitStack() as stack:

        async def record(receipt: Receipt) -> None:
            if receipt.state is ReceiptState.TYPED:
                await stack.enter_async_context(held_still((await campaign.door()).pane.pid))
            await campaign.stage.letters.record(receipt)

        await _waits(campaign, "held at typing", delivery, record)
        assert not campaign.submissions()[delivery.outbound.message_id]
    await _taken_once(campaign, "after it was held at typing", delivery)


async def _held_at_enter(campaign: Campaign, key: str) -> None:
    """It is held just before Enter: that one Enter submits the text when it goes on."""
    await campaign.watch.until_available(campaign.name)
    delivery = campaign.stage.mail(campaign.name, "is it you?", key=key)
    press, pressed = Terminal.press, 0
    async with AsyncExitStack() as stack:

        async def hold(terminal: Terminal, pane_id: str, key: str) -> bool:
            nonlocal pressed
            pressed += 1
            await stack.enter_async_context(held_still((await campaign.door()).pane.pid))
            return await press(terminal, pane_id, key)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Terminal, "press", hold)
            await _waits(campaign, "held at Enter", delivery, campaign.stage.letters.record)
        assert pressed == 1
        assert not campaign.submissions()[delivery.outbound.message_id]
    await _taken_once(campaign, "after it was held at Enter", delivery)


async def _waits(
    campaign: Campaign, kind: str, delivery: Delivery, record: Callable[[Receipt], Awaitable[None]]
) -> None:
    """Neither accepted nor failed: typed, and looked for as long as it is held."""
    with pytest.raises(TransientError, match="typed, and not proven yet"):
        await campaign.send(kind, delivery, SOON, record)
    with pytest.raises(TransientError, match="typed, and not proven yet"):
        await campaign.send(f"{kind}, again", replace(delivery, typed=True), SOON)
    assert campaign.stage.letters.states(delivery.outbound.message_id)[-1] == "waiting"


async def _taken_once(campaign: Campaign, kind: str, delivery: Delivery) -> None:
    result = await campaign.carry_on(kind, delivery, SOON)
    assert result.state is ReceiptState.ACCEPTED, (result, await campaign.rows())
    await campaign.reached(delivery.outbound.message_id)
    assert campaign.submissions()[delivery.outbound.message_id] <= 1
