"""Threads on Discord: begun when words are to stand there, one for each message, whatever fails meanwhile."""

from dataclasses import replace

import pytest

from bot.errors import TransientError
from bot.model import Address, MessageKind, OutboundMessage
from connectors.stage import Ledger, Standing, deliver, listening, outbound
from tests.stages.discord import DiscordStage
from tests.stages.discord_stand_in.mischief import Trouble
from tests.stages.discord_stand_in.payloads import FORUM, Channel
from tests.stages.discord_stand_in.world import Refused


def below(
    stage: DiscordStage, root: str, text: str, kind: MessageKind = MessageKind.REPLY
) -> OutboundMessage:
    return replace(outbound(stage, text, kind), to=replace(stage.place, thread=root))


def threads(stage: DiscordStage) -> list[Channel]:
    return [one for one in stage.world.channels.values() if one.is_thread]


async def test_a_thread_begins_with_the_first_words_in_it_and_is_named_after_its_message(
    stage: DiscordStage,
) -> None:
    async with listening(stage, Ledger()):
        root = await stage.speak(f"\n  build the {'very ' * 30}big thing\nand so on")
        for text in ("one", "two"):
            await stage.connector.send(below(stage, root, text))
        assert await stage.standing() == [Standing("one", root), Standing("two", root)]
    (thread,) = threads(stage)
    assert (thread.id, thread.parent_id) == (root, stage.channel.id)
    assert thread.name.startswith("build the very very")
    assert len(thread.name) <= 80


async def test_a_thread_of_a_message_from_before_is_named_too(stage: DiscordStage) -> None:
    root = await stage.speak("an older message")
    async with listening(stage, Ledger()):
        await stage.connector.send(below(stage, root, "hello"))
    assert [one.name for one in threads(stage)] == ["an older message"]


@pytest.mark.parametrize(
    "trouble", [Trouble.CUT, Trouble.ERROR_STORM, Trouble.DOUBLE, Trouble.SLOW]
)
async def test_whatever_fails_while_it_begins_there_is_one_thread_with_the_words_once(
    stage: DiscordStage, trouble: Trouble
) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        root = await stage.speak("root")
        await ledger.arrival(root)
        stage.stand_in.mischief.strike(trouble)
        await deliver(stage, below(stage, root, "words"))
        stage.stand_in.mischief.relent()
        assert await stage.standing() == [Standing("words", root)]
    assert len(threads(stage)) == 1


async def test_a_restart_while_a_thread_begins_leaves_one_thread(stage: DiscordStage) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        root = await stage.speak("root")
        await ledger.arrival(root)
        message = below(stage, root, "words")
        stage.stand_in.mischief.strike(Trouble.CUT)
        with pytest.raises(TransientError):
            await stage.connector.send(message)  # the thread is there, and nobody says so
        stage.stand_in.mischief.relent()
    assert len(threads(stage)) == 1
    await stage.restart()
    async with listening(stage, Ledger()):
        await deliver(stage, message)
        assert await stage.standing() == [Standing("words", root)]
    assert len(threads(stage)) == 1


async def test_somebody_else_may_have_begun_it_first(stage: DiscordStage) -> None:
    root = await stage.speak("root")
    async with listening(stage, Ledger()):
        await stage.speak("in it", thread=root)
        await stage.connector.send(below(stage, root, "me too"))
        assert await stage.standing() == [Standing("me too", root)]


async def test_a_thread_that_was_deleted_begins_again(stage: DiscordStage) -> None:
    async with listening(stage, Ledger()):
        root = await stage.speak("root")
        await stage.connector.send(below(stage, root, "one"))
        del stage.world.channels[root]
        await stage.connector.send(below(stage, root, "two"))
        assert await stage.standing() == [Standing("two", root)]


async def test_below_a_message_that_is_gone_it_is_said_in_the_channel(stage: DiscordStage) -> None:
    async with listening(stage, Ledger()):
        root = await stage.speak("root")
        await stage.redact(root)
        await stage.connector.send(below(stage, root, "too late"))
        assert await stage.standing() == [Standing("too late")]


@pytest.mark.parametrize(
    "refused",
    [Refused(403, 50013, "Missing Permissions"), Refused(400, 160006, "Maximum number of threads")],
)
async def test_where_no_thread_may_begin_it_is_said_in_the_channel_and_in_one_that_is_there(
    stage: DiscordStage, refused: Refused
) -> None:
    root, other = await stage.speak("root"), await stage.speak("other")
    await stage.speak("in it", thread=other)
    stage.world.set_archived(stage.world.channels[other], archived=True)
    async with listening(stage, Ledger()):
        stage.world.no_threads = refused
        await stage.connector.send(below(stage, root, "no room"))
        await stage.connector.send(below(stage, other, "back again"))
        assert await stage.standing() == [Standing("no room"), Standing("back again", other)]


async def test_an_archived_thread_whose_first_message_is_gone_and_an_archived_post_go_on(
    stage: DiscordStage,
) -> None:
    forum = stage.world.add_channel("cards", FORUM)
    post = stage.world.add_thread(stage.ann, forum.id, "A1")
    root = await stage.speak("root")
    await stage.speak("in it", thread=root)
    await stage.redact(root)
    for thread in (post, stage.world.channels[root]):
        stage.world.set_archived(thread, archived=True)
    about_post = Address("discord", forum.id, post.id)
    async with listening(stage, Ledger()):
        await stage.connector.send(below(stage, root, "here"))
        await stage.connector.send(replace(outbound(stage, "there"), to=about_post))
        assert await stage.standing() == [Standing("here", root), Standing("there", post.id)]


async def test_what_stands_in_a_thread_that_was_put_away_can_be_changed(
    stage: DiscordStage,
) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        root = await stage.speak("root")
        shown = await stage.connector.send(below(stage, root, "working", MessageKind.PROGRESS))
        inside = await stage.speak("in it", thread=root)
        await ledger.arrival(inside)
        thread = stage.world.channels[root]
        stage.world.set_archived(thread, archived=True)
        edit = below(stage, root, "done", MessageKind.PROGRESS)
        await stage.connector.send(replace(edit, replaced_event=shown.platform_id))
        stage.world.set_archived(thread, archived=True)
        mark = below(stage, root, "✅", MessageKind.REACTION)
        await stage.connector.send(replace(mark, reply_to=inside))
        assert await stage.standing() == [Standing("done", root)]
        assert await stage.marks(inside) == ["✅"]
        stage.world.set_archived(thread, archived=True)
        await stage.connector.send(below(stage, root, "new work"))
    assert not thread.archived


async def test_a_mark_on_the_first_message_of_a_thread_stands_in_its_channel(
    stage: DiscordStage,
) -> None:
    async with listening(stage, Ledger()):
        root = await stage.speak("root")
        await stage.connector.send(below(stage, root, "words"))
        mark = below(stage, root, "✅", MessageKind.REACTION)
        await stage.connector.send(replace(mark, reply_to=root))
        assert await stage.marks(root) == ["✅"]


async def test_a_post_in_a_forum_is_a_thread_of_the_forum(stage: DiscordStage) -> None:
    forum = stage.world.add_channel("cards", FORUM)
    thread = stage.world.add_thread(stage.ann, forum.id, "A1")
    stage.connector = stage._current = stage.connect(further=lambda: (forum.id,))
    ledger = Ledger()
    place = Address("discord", forum.id, thread.id)
    async with listening(stage, ledger):
        said = stage.stand_in.speak(stage.ann, thread.id, "about A1")
        event = await ledger.arrival(str(said["id"]))
        assert event.source == place
        await stage.connector.send(replace(outbound(stage, "I am on it"), to=place))
        assert await stage.standing() == [Standing("I am on it", thread.id)]
