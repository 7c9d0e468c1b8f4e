"""Touches while the line to Discord fails: on a stand-in's sockets, each is heard once and answered once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from aiohttp import ConnectionTimeoutError, web

from bot.command.lobby import Lobby
from bot.errors import TransientError
from bot.model import Inbound, MessageKind, OutboundMessage, ReceiptState, derived_id, reply_id
from bot.policy import Access
from connectors.discord.connector import DiscordConnector
from connectors.discord.touches.answers import reason_of
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.mailroom import Room
from tests.stages.discord import DiscordStage, discord_stage
from tests.stages.discord_stand_in.gateway import INTENTS_DISALLOWED
from tests.stages.discord_stand_in.interactions import Interactions, Touch
from tests.stages.discord_stand_in.mischief import Trouble
from tests.stages.touches import Heard, lobby_for, whole_catalog
from tests.waiting import until


@dataclass(slots=True)
class Scene:
    """A connector that listens, and what people touch."""

    stage: DiscordStage
    connector: DiscordConnector
    heard: Heard
    lobby: Lobby

    @property
    def touches(self) -> Interactions:
        return self.stage.stand_in.interactions

    def next_life(self) -> AbstractAsyncContextManager[DiscordConnector]:
        """Return a connector that knows nothing of what the one before did."""
        return listening(self.stage.connect(lobby=self.lobby), Heard())

    def slash(self, path: str) -> Touch:
        return self.touches.slash(self.stage.ann, self.stage.channel, path)

    async def event(self) -> Inbound:
        """Wait for the one event that came in."""
        found = await until(lambda: [one for batch in self.heard.batches for one in batch.events])
        (event,) = found
        return event

    def answer(self, event: Inbound) -> OutboundMessage:
        """Return what answers an event, as the worker hands it out."""
        message_id = reply_id(event.id)
        return OutboundMessage(
            message_id,
            0,
            derived_id("transaction", message_id, "0"),
            event.source,
            MessageKind.REPLY,
            "all is well",
            reply_to=event.event_id,
        )


@asynccontextmanager
async def listening(connector: DiscordConnector, heard: Heard) -> AsyncIterator[DiscordConnector]:
    """Let a connector listen until the block ends."""

    async def is_up() -> bool:
        return (await connector.health()).state == "up"

    task = asyncio.create_task(connector.subscribe(heard.accept, None))
    try:
        await until(is_up)
        yield connector
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connector.close()


@asynccontextmanager
async def a_scene(*, closed: bool = False) -> AsyncIterator[Scene]:
    stage = await discord_stage(DiscordStage)
    stage.stand_in.interactions.closed = closed
    operators, rooms = frozenset({f"discord:{stage.ann.id}"}), frozenset({stage.place.lane})
    access = Access(operators, frozenset(), rooms)
    lobby = lobby_for(access, whole_catalog(), Room(), MemoryBacklog())
    heard = Heard()
    try:
        async with listening(stage.connect(lobby=lobby), heard) as connector:
            heard.batches.clear()
            yield Scene(stage, connector, heard, lobby)
    finally:
        await stage.close()


async def test_an_acknowledgement_whose_answer_was_cut_is_found_and_heard_once() -> None:
    async with a_scene() as scene:
        scene.stage.stand_in.mischief.strike(Trouble.CUT)
        touch = scene.slash("status")
        event = await scene.event()
        scene.stage.stand_in.mischief.relent()
        assert touch.acknowledged
        assert touch.answer is not None
        assert (event.text, event.event_id) == ("!status", touch.answer["id"])
        sent = await scene.connector.send(scene.answer(event))
        assert sent.platform_id == touch.answer["id"]
        assert touch.content == "all is well"


async def test_an_answer_that_was_cut_is_shown_once() -> None:
    async with a_scene() as scene:
        touch = scene.slash("status")
        event = await scene.event()
        scene.stage.stand_in.mischief.strike(Trouble.CUT)
        with pytest.raises(TransientError):
            await scene.connector.send(scene.answer(event))
        scene.stage.stand_in.mischief.relent()
        sent = await scene.connector.send(scene.answer(event))
        assert (sent.state, touch.content) == (ReceiptState.ACCEPTED, "all is well")
        shown = [one["content"] for one in scene.stage.channel.messages.values()]
        assert shown == ["all is well"]


async def test_an_answer_after_its_time_is_said_in_the_channel_once() -> None:
    async with a_scene() as scene:
        scene.touches.hasty = True
        scene.slash("status")
        event = await scene.event()
        for _ in range(2):
            await scene.connector.send(scene.answer(event))
        shown = [one["content"] for one in scene.stage.channel.messages.values()]
        assert shown.count("all is well") == 1


async def test_an_answer_that_a_crash_kept_from_being_written_down_is_found_again() -> None:
    async with a_scene() as scene:
        touch = scene.slash("status")
        event = await scene.event()
        tried_at = datetime.now(UTC)
        sent = await scene.connector.send(scene.answer(event))
        async with scene.next_life() as connector:
            again = await connector.send_again(scene.answer(event), tried_at)
        assert again.platform_id == sent.platform_id
        shown = [one["content"] for one in scene.stage.channel.messages.values()]
        assert shown == ["all is well"]
        assert touch.content == "all is well"


async def test_a_session_that_breaks_tells_a_touch_once() -> None:
    async with a_scene() as scene:
        scene.slash("status")
        await scene.event()
        await scene.stage.stand_in.gateway.drop()
        touch = scene.slash("resume")
        await until(lambda: touch.acknowledged)
        await until(lambda: len(scene.heard.texts()) > 1)
        assert scene.heard.texts() == ["!status", "!resume"]


async def test_without_the_scope_for_commands_everything_else_works() -> None:
    async with a_scene(closed=True) as scene:
        await scene.stage.speak("hello")
        await until(lambda: scene.heard.texts() == ["hello"])
        assert scene.touches.commands == []


async def test_an_acknowledgement_that_failed_after_it_was_obeyed_is_found_and_heard_once() -> None:
    async with a_scene() as scene:
        mischief = scene.stage.stand_in.mischief
        mischief.fails_after = lambda asked: is_acknowledgement(asked) and not mischief.struck
        touch = scene.slash("status")
        event = await scene.event()
        assert touch.answer is not None
        assert (event.text, event.event_id) == ("!status", touch.answer["id"])


async def test_a_limit_without_json_is_logged_for_a_touch_and_waited_out_for_an_answer() -> None:
    async with a_scene() as scene:
        mischief = scene.stage.stand_in.mischief
        mischief.limits = is_acknowledgement
        with structlog.testing.capture_logs() as logged:
            lost = scene.slash("status")
            await until(lambda: "a touch came too late" in [one["event"] for one in logged])
        assert not lost.acknowledged
        mischief.limits = lambda asked: asked.path.endswith("/messages/@original")
        touch = scene.slash("resume")
        event = await scene.event()
        with pytest.raises(TransientError, match="429") as found:
            await scene.connector.send(scene.answer(event))
        assert found.value.retry_after == timedelta(seconds=1)
        mischief.limits = lambda _asked: False
        await scene.connector.send(scene.answer(event))
        assert (event.text, touch.content) == ("!resume", "all is well")


async def test_a_private_touch_whose_acknowledgement_did_not_arrive_is_not_heard() -> None:
    looked: list[str] = []

    def hangs_up(asked: web.Request) -> bool:
        if asked.path.endswith("/messages/@original"):
            looked.append(asked.path)
        if is_acknowledgement(asked) and not looked and asked.transport is not None:
            asked.transport.abort()
            return True
        return False

    async with a_scene() as scene:
        scene.stage.stand_in.mischief.fails = hangs_up
        lost = scene.slash("why")
        await until(lambda: looked)
        scene.slash("status")
        await until(lambda: "!status" in scene.heard.texts())
        assert scene.heard.texts() == ["!status"]
        assert not lost.acknowledged


async def test_what_answers_a_touch_of_an_earlier_login_is_said_in_the_channel() -> None:
    async with a_scene() as scene:
        scene.slash("status")
        event = await scene.event()
        scene.stage.bot.reads_words = False
        await scene.stage.stand_in.gateway.drop(INTENTS_DISALLOWED)

        async def is_here_again() -> bool:
            return (await scene.connector.health()).safe_mode

        await until(is_here_again)
        sent = await scene.connector.send(scene.answer(event))
        assert sent.state is ReceiptState.ACCEPTED
        shown = [one["content"] for one in scene.stage.channel.messages.values()]
        assert shown.count("all is well") == 1


def test_the_words_of_a_line_that_failed_do_not_give_the_token_away() -> None:
    url = "https://discord.com/api/v10/webhooks/1/the-token/messages/@original"
    assert "the-token" not in reason_of(ConnectionTimeoutError(f"Connection timeout to host {url}"))


def is_acknowledgement(asked: web.Request) -> bool:
    return asked.path.endswith("/callback")
