"""What people do on Discord comes in once, in order, and as what it is; what is not for us stays out."""

from datetime import datetime

import pytest

from bot.model import Address, Gap, InboundBatch, InboundKind
from connectors.discord.events import edit_id
from connectors.stage import Ledger, listening
from tests.stages.discord import DiscordStage
from tests.stages.discord_stand_in.payloads import THREAD_CREATED
from tests.waiting import until


class Account(Ledger):
    """A journal that keeps the accounts of gaps too, and knows what it has."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[Gap] = []

    async def accept(self, batch: InboundBatch) -> None:
        await super().accept(batch)
        self.gaps += batch.gaps


async def test_what_is_not_for_us_stays_out(stage: DiscordStage) -> None:
    other = stage.world.add_channel("other")
    elsewhere = stage.world.add_thread(stage.ann, other.id, "a thread elsewhere")
    robot = stage.world.add_bot("robot").user
    ledger = Ledger()
    async with listening(stage, ledger):
        stage.stand_in.speak(stage.ann, other.id, "!fleet stop")
        stage.stand_in.speak(stage.ann, elsewhere.id, "!fleet stop")
        said = stage.stand_in.speak(robot, stage.channel.id, "!fleet stop")
        stage.world.mark(robot, stage.channel.id, said["id"], {"id": None, "name": "👍"})
        stage.stand_in.speak(stage.ann, stage.channel.id, "a note", type=THREAD_CREATED)
        await ledger.arrival(await stage.speak("the end"))
    assert [one.text for one in ledger.events] == ["the end"]


async def test_people_are_named_and_our_own_name_in_front_is_left_out(stage: DiscordStage) -> None:
    ledger = Ledger()
    own, ann = stage.bot.user.id, stage.ann.id
    async with listening(stage, ledger):
        await stage.speak(f"<@{own}> ask <@{ann}> and <@!{ann}>")
        await ledger.arrival(await stage.speak(f"ask <@{own}>"))
    assert ledger.texts() == ["ask @ann and @ann", "ask @mosaic"]
    assert ledger.events[0].sender.id == f"discord:{ann}"


async def test_what_discord_finds_out_about_a_message_is_no_edit(stage: DiscordStage) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        said = stage.world.message(stage.channel.id, await stage.speak("https://example.org"))
        unfurled = said | {"embeds": [{"title": "Example"}], "guild_id": stage.world.guild_id}
        stage.world.tell("MESSAGE_UPDATE", unfurled)
        await ledger.arrival(await stage.speak("the end"))
    assert [event.kind for event in ledger.events] == [InboundKind.TEXT, InboundKind.TEXT]


async def test_a_mark_that_was_taken_away_and_put_again_is_another_one(stage: DiscordStage) -> None:
    ledger = Ledger()
    emoji = {"id": None, "name": "👍"}
    async with listening(stage, ledger):
        event_id = await stage.speak("vote")
        first = await ledger.arrival(await stage.react(event_id, "👍"))
        stage.world.unmark(stage.ann, stage.channel.id, event_id, emoji)
        gone = await ledger.arrival(f"{first.event_id}:gone")
        await stage.react(event_id, "👍")
        await ledger.arrival(await stage.speak("the end"))
    marks = [one for one in ledger.events if one.kind is InboundKind.REACTION]
    assert (gone.kind, gone.stands_on) == (InboundKind.REDACTION, first.event_id)
    assert [one.text for one in marks] == ["👍", "👍"]
    assert len({one.event_id for one in marks}) == 2


async def test_a_mark_that_is_put_again_after_a_restart_is_another_one(stage: DiscordStage) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        event_id = await stage.speak("vote")
        first = await ledger.arrival(await stage.react(event_id, "👍"))
        stage.world.unmark(stage.ann, stage.channel.id, event_id, {"id": None, "name": "👍"})
        await ledger.arrival(f"{first.event_id}:gone")
    stage.read = {event.event_id for event in ledger.events}
    await stage.restart()
    async with listening(stage, ledger):
        await stage.react(event_id, "👍")
        await ledger.arrival(await stage.speak("the end"))
    marks = [one for one in ledger.events if one.kind is InboundKind.REACTION]
    assert [(one.text, one.stands_on) for one in marks] == [("👍", event_id)] * 2


async def test_what_was_missed_is_read_back_in_every_thread_with_one_account_for_a_channel(
    stage: DiscordStage,
) -> None:
    account = Account()
    async with listening(stage, account):
        roots = [await stage.speak(f"root {number}") for number in range(3)]
        await account.arrival(await stage.speak("in it", thread=roots[0]))
    known = len(account.events)
    stage.read = {event.event_id for event in account.events}
    await stage.restart()
    for number in range(120):
        await stage.speak(f"missed {number}")
    for root in roots:
        await stage.speak("missed in a thread", thread=root)
    put_away = stage.world.channels[roots[1]]
    stage.world.set_archived(put_away, archived=True)
    async with listening(stage, account):
        await until(lambda: account.gaps)
        last = await account.arrival(await stage.speak("after"))
    missed = account.events[known:-1]
    assert [one.text for one in missed if one.source.thread is None] == [
        f"missed {number}" for number in range(120)
    ]
    assert {one.source.thread for one in missed} == {None, *roots}
    assert all(one.recovered for one in missed)
    assert not last.recovered
    assert account.gaps == [Gap(Address("discord", stage.channel.id), 123, 0)]


async def test_what_was_said_just_before_the_first_start_is_not_read_after_the_second(
    stage: DiscordStage,
) -> None:
    account = Account()
    await stage.speak("!fleet stop")
    async with listening(stage, account):
        await account.arrival(await stage.speak("hello"))
    stage.read = {event.event_id for event in account.events}
    await stage.restart()
    async with listening(stage, account):
        await account.arrival(await stage.speak("hello again"))
    assert account.texts() == ["hello", "hello again"]


async def test_what_was_said_in_a_channel_before_it_was_added_is_not_read_back(
    stage: DiscordStage,
) -> None:
    account = Account()
    async with listening(stage, account):
        await account.arrival(await stage.speak("hello"))
    stage.read = {event.event_id for event in account.events}
    added = stage.world.add_channel("added")
    threads = [stage.world.add_thread(stage.ann, added.id, name) for name in ("open", "put away")]
    for one in (added, *threads):
        stage.stand_in.speak(stage.ann, one.id, "!fleet stop")
    stage.world.set_archived(threads[1], archived=True)
    for text in ("new", "missed"):
        stage.connector = stage.connect(further=lambda: [added.id])
        if text == "missed":
            stage.stand_in.speak(stage.ann, added.id, text)
            stage.stand_in.speak(stage.ann, threads[0].id, f"{text} below")
        async with listening(stage, account):
            await account.arrival(await stage.speak(f"after {text}"))
    assert account.texts() == ["hello", "after new", "missed", "missed below", "after missed"]


async def test_what_was_edited_and_taken_back_meanwhile_is_found_out(stage: DiscordStage) -> None:
    account = Account()
    async with listening(stage, account):
        changed, gone = await stage.speak("first wording"), await stage.speak("a secret")
        await account.arrival(gone)
    stage.read = {event.event_id for event in account.events}
    await stage.restart()
    edited = stage.world.edit(stage.ann, stage.channel.id, changed, {"content": "second wording"})
    await stage.redact(gone)
    at = datetime.fromisoformat(edited["edited_timestamp"])
    async with listening(stage, account):
        edit = await account.arrival(edit_id(int(changed), at))
        redaction = await account.arrival(f"{gone}:gone")
    assert (edit.kind, edit.text, edit.stands_on) == (InboundKind.EDIT, "second wording", changed)
    assert (redaction.stands_on, redaction.sender.id) == (gone, f"discord:{stage.ann.id}")
    assert account.gaps == []


async def test_where_nobody_may_read_back_nothing_is_taken_for_deleted(stage: DiscordStage) -> None:
    account = Account()
    async with listening(stage, account):
        await account.arrival(await stage.speak("it stands"))
    stage.read = {event.event_id for event in account.events}
    await stage.restart()
    stage.channel.closed_book = True
    async with listening(stage, account):
        await account.arrival(await stage.speak("after"))
    assert [one.kind for one in account.events] == [InboundKind.TEXT, InboundKind.TEXT]


async def test_a_crash_while_reading_back_begins_it_again(stage: DiscordStage) -> None:
    account = Account()
    async with listening(stage, account):
        await account.arrival(await stage.speak("before"))
    position = account.position
    await stage.restart()
    missed = [await stage.speak(f"missed {number}") for number in range(3)]
    account.is_stuck = True
    async with listening(stage, account):
        await until(lambda: account.caught)
        assert account.position == position, "nothing was passed by that is not stored"
    account.is_stuck = False
    await stage.restart()
    async with listening(stage, account):
        await account.arrival(missed[-1])
    assert account.texts() == ["before", "missed 0", "missed 1", "missed 2"]


async def test_while_the_journal_is_away_the_session_is_kept(stage: DiscordStage) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        ledger.faults = 5
        texts = [f"word {number}" for number in range(5)]
        spoken = [await stage.speak(text) for text in texts]
        await ledger.arrival(spoken[-1])
    assert ledger.texts() == texts
    assert stage.stand_in.gateway.identified == 1


@pytest.mark.parametrize("trouble", ["history", "channel"])
async def test_while_discord_cannot_be_asked_reading_waits_and_loses_nothing(
    stage: DiscordStage, trouble: str
) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        await ledger.arrival(await stage.speak("before"))
    await stage.restart()
    await stage.speak("missed")
    failed = 0

    def fails(request: object) -> bool:
        nonlocal failed
        ending = "/messages" if trouble == "history" else "/threads/archived/public"
        struck = str(getattr(request, "path", "")).endswith(ending) and failed < 2
        failed += struck
        return struck

    stage.stand_in.mischief.fails = fails
    async with listening(stage, ledger):
        await ledger.arrival(await stage.speak("after"))
    assert ledger.texts() == ["before", "missed", "after"]
    assert failed == 2
