"""What was said while nobody listened is read back, in order, and every message is accounted for."""

import asyncio
from datetime import timedelta

from bot.model import Address, Gap
from connectors.matrix.gaps import Bounds
from tests.stages.matrix import Bot, Ear, meet
from tests.stages.synapse import Person, Town
from tests.waiting import until

SMALL = Bounds(recent=10, page=7)
"""Several pages for a handful of messages."""


async def _heard_once(bot: Bot) -> Ear:
    ear = Ear()
    async with bot.listening(ear):
        pass
    return ear


async def _say(person: Person, room_id: str, count: int) -> list[str]:
    """Say numbered texts, one after another as far as the room is concerned."""
    texts = [f"{number:04}" for number in range(count)]
    for text in texts:
        await person.say(room_id, text)
    return texts


async def test_missed_messages_beyond_one_sync_come_in_order_exactly_once(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    await ann.say(bot.room_id, "before the first start")
    ear = await _heard_once(bot)
    texts = await _say(ann, bot.room_id, 150)
    async with bot.listening(ear):
        await ann.say(bot.room_id, "live again")
        await until(lambda: "live again" in ear.texts, what="a live text after them")
    assert ear.texts == [*texts, "live again"]
    assert [event.recovered for event in ear.events] == [True] * 150 + [False]
    assert ear.gaps == [Gap(Address("matrix", bot.room_id), recovered=150, lost=0)]
    [together] = [batch for batch in ear.batches if batch.gaps]
    assert len(together.events) == 150


async def test_a_single_missed_message_is_counted_and_edits_are_not(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = await _heard_once(bot)
    first = await ann.say(bot.room_id, "missed")
    await ann.edit(bot.room_id, first, "missed, edited")
    async with bot.listening(ear):
        await until(lambda: len(ear.events) == 2, what="both events")
    assert ear.gaps == [Gap(Address("matrix", bot.room_id), recovered=1, lost=0)]


async def test_a_restart_in_which_nothing_was_said_reports_no_gap(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = await _heard_once(bot)
    async with bot.listening(ear):
        await ann.say(bot.room_id, "live")
        await until(lambda: ear.events, what="the live text")
    assert ear.gaps == []


async def test_beyond_the_bound_the_oldest_are_counted_as_lost(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = await _heard_once(bot)
    texts = await _say(ann, bot.room_id, 35)
    async with bot.listening(ear, bounds=Bounds(events=8, recent=10, page=7)):
        await until(lambda: ear.gaps, what="the account")
    assert ear.texts == texts[17:]
    assert ear.gaps == [Gap(Address("matrix", bot.room_id), recovered=18, lost=17)]


async def test_a_walk_over_several_pages_meets_the_position_and_stops(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    await ann.say(bot.room_id, "long before")
    ear = await _heard_once(bot)
    texts = await _say(ann, bot.room_id, 35)
    async with bot.listening(ear, bounds=SMALL):
        await until(lambda: ear.gaps, what="the account")
    assert ear.texts == texts
    assert bot.reports == []


async def test_when_time_runs_out_the_operators_hear_that_nobody_can_count(
    matrix_town: Town,
) -> None:
    ann, bot = await meet(matrix_town)
    ear = await _heard_once(bot)
    texts = await _say(ann, bot.room_id, 12)
    async with bot.listening(ear, bounds=Bounds(recent=10, time=timedelta(seconds=-1))):
        await until(lambda: ear.gaps, what="the account")
    assert ear.texts == texts[2:]
    assert ear.gaps == [Gap(Address("matrix", bot.room_id), recovered=10, lost=0)]
    [report] = bot.reports
    assert "nobody can count" in report


async def test_an_old_position_brings_the_same_events_with_the_same_ids(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = await _heard_once(bot)
    again = Ear(position=ear.position)
    for text in ("one", "two"):
        await ann.say(bot.room_id, text)
    for listener in (ear, again):
        async with bot.listening(listener):
            assert listener.texts == ["one", "two"]
    assert [event.id for event in ear.events] == [event.id for event in again.events]


async def test_the_position_stays_when_a_batch_is_not_accepted(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = await _heard_once(bot)
    await ann.say(bot.room_id, "kept")
    connector = bot.connector()

    async def refuse(_batch: object) -> None:
        raise ConnectionError("no database")

    task = asyncio.create_task(connector.subscribe(refuse, ear.position))
    await asyncio.wait([task], timeout=10)
    assert isinstance(task.exception(), ConnectionError)
    await connector.close()
    async with bot.listening(ear):
        await until(lambda: ear.events, what="the text")
    assert ear.texts == ["kept"]


async def test_nothing_said_before_we_were_in_a_room_is_read(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear, bounds=SMALL):
        other = await ann.make_room()
        await _say(ann, other, 15)
        answer = await ann.client.room_invite(other, bot.user_id)
        assert hasattr(answer, "transport_response")
        await until(lambda: _is_in(ann, other, bot.user_id), what="the bot in the room")
        await ann.say(other, "now")
        await until(lambda: "now" in ear.texts, what="the text after it came in")
    assert ear.texts == ["now"]


async def _is_in(person: Person, room_id: str, user_id: str) -> bool:
    return user_id in await person.members(room_id)
