"""Threads of cards on Discord beyond what every platform promises: one post each, tags, races, and what is refused."""

from collections.abc import AsyncIterator
from datetime import timedelta

import discord
import pytest

from bot.backlog.cards import CardStatus
from bot.backlog.kept_threads import ThreadLook
from bot.errors import MosaicError, TransientError, UserError
from bot.model import Address
from connectors.discord.posts import mark_of, title_in
from connectors.discord.thread_failures import about_threads
from tests.stages.card_threads import DiscordThreadStage, discord_stage, opening

READY = ThreadLook("A1: paint", CardStatus.READY, archived=False)


@pytest.fixture
async def forum() -> AsyncIterator[DiscordThreadStage]:
    async with discord_stage(forum=True) as found:
        yield found


@pytest.fixture
async def text() -> AsyncIterator[DiscordThreadStage]:
    async with discord_stage(forum=False) as found:
        yield found


def channel_of(stage: DiscordThreadStage) -> discord.ForumChannel:
    found = stage.client.get_channel(stage.channel.id)
    assert isinstance(found, discord.ForumChannel)
    return found


async def post(stage: DiscordThreadStage, name: str, text: str) -> int:
    message = opening(stage.threads.place, name)
    made = await stage.posts.make(channel_of(stage), message, text)
    await stage.env.settle()
    return made


async def test_a_post_whose_answer_was_lost_is_found_and_not_made_again(
    forum: DiscordThreadStage,
) -> None:
    made = await post(forum, "A1: paint", "A1: paint")
    assert await post(forum, "A1: paint", "A1: paint") == made
    assert len(forum.channel.threads) == 1
    await channel_of(forum).threads[0].edit(archived=True)
    await forum.env.settle()
    assert channel_of(forum).threads == []
    assert await post(forum, "A1: paint", "A1: paint") == made, "though it was put away since"


async def test_two_messages_with_the_same_words_are_two_posts(forum: DiscordThreadStage) -> None:
    first = opening(forum.threads.place, "A1: paint")
    second = opening(forum.threads.place, "A1: paint later")
    makes = [await forum.posts.make(channel_of(forum), one, "same") for one in (first, second)]
    await forum.env.settle()
    assert len(set(makes)) == 2
    posts = {thread.id: thread for thread in forum.channel.threads}
    assert posts[makes[0]].history()[0].content.splitlines() == ["same", mark_of(first)]


async def test_a_post_of_somebody_else_with_our_words_is_not_ours(
    forum: DiscordThreadStage,
) -> None:
    message = opening(forum.threads.place, "A1: paint")
    made = await forum.posts.make(channel_of(forum), message, "A1: paint")
    await forum.env.settle()
    thread = forum.env.backend.channels[made]
    thread.owner_id = forum.person.id
    channel_of(forum).threads[0].owner_id = forum.person.id
    assert await forum.posts.make(channel_of(forum), message, "A1: paint") != made


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("A1: paint\nstatus: ready", "A1: paint"),
        ("**A1**: paint \\_it\\_", "A1: paint _it_"),
        ("\n\n", "(no title)"),
        ("x" * 150, "x" * 99 + "…"),
    ],
)
def test_the_title_of_a_post_is_the_first_line_of_its_text(text: str, title: str) -> None:
    assert title_in(text) == title


async def test_a_forum_gets_the_tags_of_a_card_s_status_and_people_s_own_ones_stay(
    forum: DiscordThreadStage,
) -> None:
    own = await channel_of(forum).create_tag(name="urgent")
    thread = await forum.opening("A1: paint")
    await forum.threads.show(thread, READY)
    await forum.env.settle()
    names = [tag.name for tag in channel_of(forum).available_tags]
    assert names == ["urgent", "ready", "claimed", "blocked", "done"]
    await channel_of(forum).threads[0].add_tags(own)
    await forum.env.settle()
    await forum.threads.show(thread, ThreadLook("A1: paint", CardStatus.CLAIMED, archived=False))
    seen = await forum.look(thread)
    assert seen is not None
    assert seen.tags == {"urgent", "claimed"}


async def test_where_there_is_no_room_for_tags_those_that_are_there_are_used(
    forum: DiscordThreadStage,
) -> None:
    tags = [discord.ForumTag(name=name) for name in ("ready", *(f"own {n}" for n in range(17)))]
    await channel_of(forum).edit(available_tags=tags)
    await forum.env.settle()
    thread = await forum.opening("A1: paint")
    assert await forum.threads.show(thread, READY)
    seen = await forum.look(thread)
    assert seen is not None
    assert seen.tags == {"ready"}
    await forum.threads.show(thread, ThreadLook("A1: paint", CardStatus.BLOCKED, archived=False))
    seen = await forum.look(thread)
    assert seen is not None
    assert seen.tags == set(), "a status without a tag is better than a wrong one"
    assert len(channel_of(forum).available_tags) == 18


async def test_of_two_that_begin_a_thread_at_once_the_second_takes_the_first_one_s(
    text: DiscordThreadStage,
) -> None:
    thread = await text.opening("A1: paint")
    await text.threads.show(thread, READY)
    # Not in discord.py's memory, as in a daemon that was just started, and begun between the look and the request.
    text.client.guilds[0]._remove_thread(discord.Object(int(str(thread.thread))))
    text.env.inject_error("GET", f"/channels/{thread.thread}", status=404, code=10003)
    text.env.inject_error("POST", "/channels/*/messages/*/threads", status=400, code=160004)
    assert await text.threads.show(thread, READY)
    assert await text.begun() == 1


async def test_without_the_power_a_person_is_told_what_to_give(text: DiscordThreadStage) -> None:
    thread = await text.opening("A1: paint")
    text.env.inject_error(
        "POST", "/channels/*/messages/*/threads", status=403, code=50013, message="Missing"
    )
    with pytest.raises(UserError) as refused:
        await text.threads.show(thread, READY)
    assert "Manage Threads" in str(refused.value.hint)


async def test_what_cannot_be_a_thread_is_refused(text: DiscordThreadStage) -> None:
    for address in (
        Address("discord", str(text.channel.id), None),
        Address("discord", str(text.channel.id), "$matrix"),
    ):
        with pytest.raises(UserError):
            await text.threads.show(address, READY)


def http_error(code: int) -> discord.HTTPException:
    class Response:
        reason = "reason"
        status = 400

    return discord.HTTPException(Response(), {"code": code, "message": "said"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raised", "meant", "wait", "code"),
    [
        (http_error(160006), TransientError, timedelta(minutes=10), "unavailable"),
        (discord.RateLimited(90.0), TransientError, timedelta(seconds=90), "unavailable"),
        (TimeoutError(), TransientError, None, "unavailable"),
        (http_error(10003), UserError, None, "gone"),
        (http_error(10008), UserError, None, "gone"),
        (http_error(50001), UserError, None, "refused"),
        (http_error(50035), UserError, None, "discord_50035"),
    ],
)
async def test_what_a_refusal_means_for_a_thread(
    raised: Exception, meant: type[MosaicError], wait: timedelta | None, code: str
) -> None:
    with pytest.raises(meant) as caught:
        async with about_threads("showing a thread"):
            raise raised
    assert "showing a thread" in str(caught.value)
    assert (caught.value.code, getattr(caught.value, "retry_after", None)) == (code, wait)
