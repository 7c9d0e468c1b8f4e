"""What we say on Discord is shown once, where it belongs, and calls nobody who did not ask."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import TransientError, UserError
from bot.model import MessageKind, OutboundMessage, ReceiptState, SendResult
from connectors.discord.connector import DiscordConnector
from connectors.stage import Ledger, Standing, listening, outbound
from tests.stages.discord import DiscordStage
from tests.stages.discord_stand_in.mischief import Trouble
from tests.waiting import until

LONG_AGO = timedelta(minutes=30)


def connector(stage: DiscordStage) -> DiscordConnector:
    assert isinstance(stage.connector, DiscordConnector)
    return stage.connector


async def again(stage: DiscordStage, message: OutboundMessage) -> SendResult:
    return await connector(stage).send_again(message, datetime.now(UTC) - LONG_AGO)


async def lost_answer(stage: DiscordStage, message: OutboundMessage) -> None:
    """Send a message whose answer is cut off, and go on as another process, long after."""
    stage.stand_in.mischief.strike(Trouble.CUT)
    with pytest.raises(TransientError):
        await stage.connector.send(message)
    stage.stand_in.mischief.relent()
    stage.world.forget_nonces()


async def test_a_message_whose_nonce_discord_forgot_is_found_where_it_stands(
    stage: DiscordStage,
) -> None:
    message = outbound(stage, "once  ")
    async with listening(stage, Ledger()):
        await lost_answer(stage, message)
    await stage.restart()
    async with listening(stage, Ledger()):
        result = await again(stage, message)
        assert result.state is ReceiptState.ACCEPTED
        assert await again(stage, message) == result
        assert await stage.standing() == [Standing("once")]
    assert [one["id"] for _, one in stage.said()] == [result.platform_id]


async def test_a_message_with_an_address_is_found_under_the_picture_that_discord_made_of_it(
    stage: DiscordStage,
) -> None:
    message = outbound(stage, "see https://example.org")
    async with listening(stage, Ledger()):
        await lost_answer(stage, message)
    ((_, said),) = stage.said()
    said["embeds"] = [{"type": "link", "title": "Example", "url": "https://example.org"}]
    await stage.restart()
    async with listening(stage, Ledger()):
        assert (await again(stage, message)).platform_id == said["id"]
        assert len(await stage.standing()) == 1


async def test_the_gateway_tells_of_it_before_anybody_looks(stage: DiscordStage) -> None:
    message = outbound(stage, "once")
    async with listening(stage, Ledger()):
        await lost_answer(stage, message)
        stage.world.channel(stage.channel.id).messages.clear()  # nothing can be found there
        await until(lambda: stage.stand_in.gateway.resumed or stage.stand_in.gateway.identified)

        async def found() -> bool:
            return connector(stage)._recent.said(message.transaction_id[:25]) is not None

        await until(found)
        assert (await again(stage, message)).state is ReceiptState.ACCEPTED
        assert await stage.standing() == []


async def test_what_was_never_shown_is_sent_and_another_message_is_not_taken_for_it(
    stage: DiscordStage,
) -> None:
    done = outbound(stage, "done")
    shown: list[str] = []

    async def known(ids: object) -> frozenset[str]:
        assert isinstance(ids, list)
        return frozenset(set(shown) & set(ids))

    stage.connector = stage._current = stage.connect(shown=known)
    async with listening(stage, Ledger()):
        first = await stage.connector.send(done)
        shown.append(str(first.platform_id))
        await stage.speak("done")
        other = outbound(stage, "done")
        result = await again(stage, other)
        assert result.platform_id not in {None, first.platform_id}
        assert await stage.standing() == [Standing("done"), Standing("done")]


async def test_where_nobody_can_tell_it_is_not_sent_and_the_receipt_says_so(
    stage: DiscordStage,
) -> None:
    message = outbound(stage, "perhaps")
    async with listening(stage, Ledger()):
        stage.channel.hidden = True
        result = await again(stage, message)
        stage.channel.hidden = False
        assert result.state is ReceiptState.UNKNOWN
        assert "may have been shown" in (result.reason or "")
        assert await stage.standing() == []


async def test_where_nobody_may_read_back_it_is_not_sent_again(stage: DiscordStage) -> None:
    stage.channel.closed_book = True
    message = outbound(stage, "perhaps")
    async with listening(stage, Ledger()):
        await stage.speak("hello")
        assert (await again(stage, message)).state is ReceiptState.UNKNOWN
        assert await stage.standing() == []


async def test_what_belongs_in_a_thread_is_looked_for_there_and_else_in_the_channel(
    stage: DiscordStage,
) -> None:
    async with listening(stage, Ledger()):
        root, gone = await stage.speak("root"), await stage.speak("gone")
        await stage.redact(gone)
        below = [replace(stage.place, thread=first) for first in (root, gone)]
        said = [replace(outbound(stage, "once"), to=place) for place in below]
        shown = [await stage.connector.send(message) for message in said]
        await stage.connector.send(outbound(stage, "other"))
    await stage.restart()
    stage.world.forget_nonces()
    async with listening(stage, Ledger()):
        assert [await again(stage, message) for message in said] == shown
        await again(stage, replace(outbound(stage, "other"), to=below[0]))
        assert await stage.standing() == [
            Standing("once", root),
            Standing("once"),
            Standing("other"),
            Standing("other", root),
        ]


async def test_a_young_message_and_a_mark_are_just_sent_again(stage: DiscordStage) -> None:
    async with listening(stage, Ledger()):
        event_id = await stage.speak("!help")
        young = outbound(stage, "young")
        for _ in range(2):
            await connector(stage).send_again(young, datetime.now(UTC))
        mark = replace(outbound(stage, "👀", MessageKind.REACTION), reply_to=event_id)
        for _ in range(2):
            await again(stage, mark)
        assert await stage.standing() == [Standing("young")]
        assert await stage.marks(event_id) == ["👀"]
    assert ("GET", f"/channels/{stage.channel.id}/messages") not in stage.stand_in.rest.asked[4:]


async def test_who_is_answered_is_called_and_nobody_else(stage: DiscordStage) -> None:
    eve = stage.world.add_person("eve")
    async with listening(stage, Ledger()):
        event_id = await stage.speak("!help")
        answer = replace(outbound(stage, f"@everyone <@{eve.id}>"), reply_to=event_id)
        said = await stage.connector.send(answer)
        further = await stage.connector.send(
            replace(outbound(stage, "more"), reply_to=event_id, part=1)
        )
        progress = outbound(stage, "working", MessageKind.PROGRESS)
        working = await stage.connector.send(replace(progress, reply_to=event_id))
    pinged = [stage.world.pinged[str(one.platform_id)] for one in (said, further, working)]
    assert pinged == [[stage.ann.id], [], []]


async def test_what_discord_refuses_is_said_with_the_reason(stage: DiscordStage) -> None:
    event_id = await stage.speak("!help")
    nonsense = replace(outbound(stage, "nonsense", MessageKind.REACTION), reply_to=event_id)
    no_room, no_channel = (replace(stage.place, place=word) for word in ("room", "12"))
    refused = {
        "2001 characters; Discord takes 2000": outbound(stage, "x" * 2001),
        "'room' is no id": replace(outbound(stage, "x"), to=no_room),
        "Unknown Channel": replace(outbound(stage, "x"), to=no_channel),
        "Unknown Emoji": nonsense,
    }
    async with listening(stage, Ledger()):
        for reason, message in refused.items():
            with pytest.raises(UserError, match=reason):
                await stage.connector.send(message)


async def test_a_mark_on_what_is_gone_is_not_shown_and_is_no_dead_letter(
    stage: DiscordStage,
) -> None:
    async with listening(stage, Ledger()):
        mark = replace(outbound(stage, "✅", MessageKind.REACTION), reply_to="1")
        assert (await stage.connector.send(mark)).state is ReceiptState.UNKNOWN


async def test_before_it_is_connected_nothing_is_sent(stage: DiscordStage) -> None:
    with pytest.raises(TransientError, match="not connected"):
        await stage.connector.send(outbound(stage, "x"))


async def test_work_is_shown_as_long_as_it_goes_on(stage: DiscordStage) -> None:
    async with listening(stage, Ledger()):
        connection = connector(stage)
        await connection.typing(stage.place, active=True)
        await until(lambda: stage.world.typing == [stage.channel.id])
        missing = replace(stage.place, thread=await stage.speak("root"))
        await connection.typing(missing, active=True)
        await connection.typing(stage.place, active=False)
