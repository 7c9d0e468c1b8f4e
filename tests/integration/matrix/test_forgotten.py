"""A position that the homeserver does not know any more: every room is read back to what was read before."""

from bot.model import Address, Gap
from connectors.matrix.gaps import Bounds
from tests.stages.matrix import Bot, Ear, meet
from tests.stages.synapse import Person, Town
from tests.waiting import until

SMALL = Bounds(recent=5, page=4)


async def _heard(town: Town) -> tuple[Person, Bot, Ear]:
    """Return a bot that has heard two texts and then forgot where it was."""
    ann, bot = await meet(town)
    ear = Ear()
    await ann.say(bot.room_id, "long before the first start")
    async with bot.listening(ear):
        for text in ("one", "two"):
            await ann.say(bot.room_id, text)
        await until(lambda: ear.texts == ["one", "two"], what="both texts")
    bot.read = {event.event_id for event in ear.events}
    return ann, bot, Ear(position="nonsense")


async def test_what_was_missed_is_recovered_up_to_what_is_known(matrix_town: Town) -> None:
    ann, bot, ear = await _heard(matrix_town)
    missed = [f"missed {number}" for number in range(13)]
    for text in missed:
        await ann.say(bot.room_id, text)
    async with bot.listening(ear, bounds=SMALL):
        assert ear.texts == missed
        await ann.say(bot.room_id, "from now on")
        await until(lambda: "from now on" in ear.texts, what="a live text")
    assert ear.texts == [*missed, "from now on"]
    assert ear.gaps == [Gap(Address("matrix", bot.room_id), recovered=13, lost=0)]
    assert bot.reports == []


async def test_where_nothing_is_known_nothing_old_is_run_and_the_operators_hear_of_it(
    matrix_town: Town,
) -> None:
    ann, bot, ear = await _heard(matrix_town)
    bot.read.clear()
    await ann.say(bot.room_id, "new, or a thousand years old")
    async with bot.listening(ear, bounds=SMALL):
        await ann.say(bot.room_id, "from now on")
        await until(lambda: ear.events, what="a text")
    assert ear.texts == ["from now on"]
    [report] = bot.reports
    assert bot.room_id in report
    assert "nobody can count" in report


async def test_a_room_in_which_nobody_ever_spoke_is_no_news(matrix_town: Town) -> None:
    ann, bot, ear = await _heard(matrix_town)
    await matrix_town.room(bot.account, ann.account)
    async with bot.listening(ear, bounds=SMALL):
        pass
    assert ear.events == []
    assert bot.reports == []
