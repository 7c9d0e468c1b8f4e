"""What waits is handled in the journal's order, also right after a start and while the database comes and goes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.errors import TransientError
from bot.mail.lineup import Lineup
from bot.model import Address, Inbound, InboundBatch, InboundKind, Principal
from tests.fakes.mailroom import MemoryJournal, Room

ANN = Principal("memory:ann", "Ann")


def event(name: str) -> Inbound:
    return Inbound(name, Address("memory", "ops"), ANN, name, datetime.now(UTC))


def batch(*names: str) -> InboundBatch:
    return InboundBatch("memory", tuple(map(event, names)), names[-1])


async def handled(lineup: Lineup, journal: MemoryJournal, until: int) -> list[str]:
    """Work off one lane, refilled again and again, and return what was handled in that order."""
    done: list[str] = []
    while len(done) < until:
        await lineup.fill()
        (lane,) = lineup.take_idle()
        with lineup.working(lane) as waiting:
            while waiting:
                done.append(waiting[0].event_id)
                await journal.finish(waiting[0], [], "done")
                waiting.popleft()
    return done


async def test_new_events_wait_behind_all_that_an_earlier_life_left() -> None:
    journal = MemoryJournal(Room())
    await journal.accept(batch(*(f"old {number}" for number in range(7))))
    lineup = Lineup(journal, at_once=3)
    await lineup.accept(batch("new 0"), [])
    await lineup.fill()
    await lineup.accept(batch("new 1"), [])
    found = await handled(lineup, journal, 9)
    assert found == [*(f"old {number}" for number in range(7)), "new 0", "new 1"]


async def test_a_batch_of_unknown_fate_keeps_its_place() -> None:
    room = Room()
    journal = MemoryJournal(room)
    lineup = Lineup(journal)
    await lineup.fill()
    await lineup.accept(batch("one"), [])
    room.away = TransientError("away")
    with pytest.raises(TransientError):
        await lineup.accept(batch("two"), [])
    room.away = None
    await journal.accept(batch("two"))  # it had been stored, only the answer was lost
    await lineup.accept(batch("two", "three"), [])
    assert await handled(lineup, journal, 3) == ["one", "two", "three"]


async def test_a_revision_is_known_of_as_soon_as_it_is_stored() -> None:
    journal = MemoryJournal(Room())
    lineup = Lineup(journal)
    assert lineup.may_be_revised(event("one")), "nobody has looked yet"
    await lineup.fill()
    assert not lineup.may_be_revised(event("one"))
    edit = replace(event("edit"), kind=InboundKind.EDIT, stands_on="one")
    await lineup.accept(InboundBatch("memory", (event("one"), edit), "1"), [])
    assert lineup.may_be_revised(event("one"))
    assert not lineup.may_be_revised(event("two"))


async def test_a_lane_is_worked_off_by_one_at_a_time() -> None:
    journal = MemoryJournal(Room())
    lineup = Lineup(journal)
    await lineup.fill()
    await lineup.accept(batch("one"), [])
    (lane,) = lineup.take_idle()
    assert lineup.take_idle() == []
    with lineup.working(lane) as waiting:
        waiting.popleft()
        await lineup.accept(batch("two"), [])
        assert lineup.take_idle() == []
        assert [event.event_id for event in waiting] == ["two"]
    assert lineup.take_idle() == [lane], "what came meanwhile and was left is taken by the next"
