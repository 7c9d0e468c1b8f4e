"""Embeds on their way: shown once, edited, and told from others when an uncertain one is looked for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import TransientError
from bot.model import Address, OutboundMessage, ReceiptState
from bot.reply import Block, Fields, Text
from connectors.discord.connector import DiscordConnector
from connectors.stage import Ledger, listening, outbound
from tests.stages.discord import DiscordStage
from tests.stages.discord_stand_in.mischief import Trouble
from tests.stages.discord_stand_in.payloads import FORUM

LONG_AGO = timedelta(minutes=30)


def card(stage: DiscordStage, status: str, *before: Block) -> OutboundMessage:
    """Return a card as the mailbox sends it where embeds are shown."""
    blocks = (*before, Fields((("id", "A1"), ("title", "shed"), ("status", status))))
    return replace(outbound(stage, f"id: A1\ntitle: shed\nstatus: {status}"), blocks=blocks)


def shown(stage: DiscordStage) -> list[tuple[str, Sequence[Any]]]:
    """Return what the bot said: words, and its embeds' titles and fields."""
    return [
        (
            one["content"],
            [(e["title"], [f["value"] for f in e["fields"]]) for e in one["embeds"]],
        )
        for _, one in stage.said()
    ]


async def again(stage: DiscordStage, message: OutboundMessage) -> str:
    assert isinstance(stage.connector, DiscordConnector)
    result = await stage.connector.send_again(message, datetime.now(UTC) - LONG_AGO)
    assert result.state is ReceiptState.ACCEPTED
    return str(result.platform_id)


async def lose_the_answer(stage: DiscordStage, message: OutboundMessage) -> None:
    """Send a message whose answer is cut off, and go on as another process, long after."""
    stage.stand_in.mischief.strike(Trouble.CUT)
    with pytest.raises(TransientError):
        await stage.connector.send(message)
    stage.stand_in.mischief.relent()
    stage.world.forget_nonces()
    await stage.restart()


async def test_a_card_is_an_embed_and_an_edit_takes_its_place(stage: DiscordStage) -> None:
    async with listening(stage, Ledger()):
        first = await stage.connector.send(card(stage, "ready", Text("A1: shed")))
        assert shown(stage) == [("A1: shed", [("shed", ["ready"])])]
        edit = replace(card(stage, "done"), replaced_event=first.platform_id)
        await stage.connector.send(edit)
        assert shown(stage) == [("A1", [("shed", ["done"])])]
        plain = replace(outbound(stage, "only words"), replaced_event=first.platform_id)
        await stage.connector.send(plain)
        assert shown(stage) == [("only words", [])]


async def test_an_uncertain_embed_is_found_and_another_one_is_not_taken_for_it(
    stage: DiscordStage,
) -> None:
    message = card(stage, "ready")
    async with listening(stage, Ledger()):
        await lose_the_answer(stage, message)
    async with listening(stage, Ledger()):
        found = await again(stage, message)
        assert [one["id"] for _, one in stage.said()] == [found]
        other = await again(stage, card(stage, "done"))
        assert [one["id"] for _, one in stage.said()] == [found, other]


async def test_an_uncertain_post_is_found_in_its_forum_before_the_gateway_has_told_of_it(
    stage: DiscordStage,
) -> None:
    forum = stage.world.add_channel("cards", FORUM)
    message = replace(card(stage, "ready", Text("A1: shed")), to=Address("discord", forum.id))
    async with listening(stage, Ledger()):
        await lose_the_answer(stage, message)
    async with listening(stage, Ledger()):
        found = await again(stage, message)
    assert [one.id for one in stage.world.channels.values() if one.parent_id == forum.id] == [found]
