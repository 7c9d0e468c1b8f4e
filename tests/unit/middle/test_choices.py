"""A mark on a message that offers something, from end to end on in-memory edges."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.mail.mailbox import Mailbox
from bot.model import Address, Inbound, InboundKind, Letter, Message, MessageKind, Principal
from bot.reply import Button, Offer, Text, standing_offer
from connectors.memory import KIND, MemoryConnector, MemoryPlatform
from tests.fakes.contents import MemoryContents
from tests.fakes.mailroom import Event, MemoryOutbox, Room
from tests.stages.middle import ANN, EVE, OPS, Middle
from tests.waiting import until

BEN = Principal("memory:ben", "Ben")
HOUR = timedelta(hours=1)
YES = Offer("👍", "press y", "press y", HOUR)
NO = Offer("👎", "press n", "press n", HOUR)


@pytest.fixture
async def middle() -> AsyncIterator[Middle]:
    async with Middle(Room(), MemoryPlatform()).running() as found:
        yield found


async def offer(middle: Middle, *offers: Offer, name: str = "notice", place: str = OPS) -> str:
    """Let us say something that offers something; return the event that it became on the platform."""
    to = Address(KIND, place)
    message = Message(name, to, MessageKind.NOTICE, (Text(f"choose {name}"),), offers=offers)
    await middle.mailbox.post([message])

    def shown() -> list[str]:
        found = [s.id for s in middle.platform.standing if s.text.startswith(f"choose {name}")]
        marks = {(one, offer.mark) for one in found for offer in offers}
        return found if marks <= set(middle.platform.marks) else []

    (event_id,) = await until(shown)
    return event_id


async def answers(middle: Middle, event_id: str, count: int = 1) -> Sequence[str]:
    """Return what is said in the thread of an event, once it is so much."""

    def said() -> list[str]:
        return [one.text for one in middle.platform.standing if one.thread == event_id]

    await until(lambda: len(said()) >= count)
    return said()


async def outcome(middle: Middle, event_id: str) -> str:
    """Return how an event ended."""

    def ended() -> str:
        states = (e.state for e in middle.room.events.values() if e.inbound.event_id == event_id)
        return next((state for state in states if state not in {"stored", "running"}), "")

    return str(await until(ended))


async def test_what_is_offered_stands_below_as_marks_and_is_said_in_words(middle: Middle) -> None:
    event_id = await offer(middle, YES, NO)
    assert middle.said() == ["choose notice\n\nOne tap chooses: 👍 press y · 👎 press n"]
    assert middle.platform.marks == [(event_id, "👍"), (event_id, "👎")]


def test_where_nobody_can_choose_nothing_is_offered() -> None:
    limits = replace(
        MemoryConnector(MemoryPlatform(), MemoryContents()).capabilities(), choices=False
    )
    mailbox = Mailbox(MemoryOutbox(Room()), lambda _kind: limits)
    place, kind = Address(KIND, OPS), MessageKind.NOTICE
    (letter,) = mailbox.seal([Message("m", place, kind, (Text("words"),), offers=(YES,))])
    assert [part.text for part in letter.parts] == ["words"]


CLAIM = standing_offer("backlog claim --owner me --id A1", "claim it", "🙋")


def sealed(buttons: bool, *offers: Offer) -> Letter:
    limits = replace(
        MemoryConnector(MemoryPlatform(), MemoryContents()).capabilities(), buttons=buttons
    )
    mailbox = Mailbox(MemoryOutbox(Room()), lambda _kind: limits)
    said = Message("m", Address(KIND, OPS), MessageKind.NOTICE, (Text("words"),), offers=offers)
    return mailbox.seal([said])[0]


def test_where_there_are_buttons_offers_are_those_and_neither_marks_nor_words() -> None:
    letter = sealed(True, YES, CLAIM)
    (part,) = letter.parts
    assert part.text == "words"
    assert part.buttons == (Button("👍", "press y"), Button("🙋", "claim it", CLAIM.line))


def test_what_is_only_a_button_is_neither_stored_nor_shown_as_a_mark() -> None:
    assert sealed(True, YES, CLAIM).message.offers == (YES,)
    without = sealed(False, YES, CLAIM)
    assert [part.text for part in without.parts] == ["words\n\nOne tap chooses: 👍 press y", "👍"]
    assert without.message.offers == (YES,)
    assert without.parts[0].buttons == ()


async def test_a_tap_runs_the_line_as_if_typed_and_is_answered_in_the_thread(
    middle: Middle,
) -> None:
    event_id = await offer(middle, YES, NO)
    tap = middle.platform.react(OPS, ANN, "👍", event_id)
    assert await answers(middle, event_id) == ["Ann chose 👍: press y.\n\ny was pressed"]
    assert middle.toys.ran == ["press y"]
    assert await outcome(middle, tap) == "done"
    noted = [(row["principal_id"], row["action"], row["allowed"]) for row in middle.audit.rows]
    assert noted == [(ANN.id, "press", True)]
    assert [mark for _, mark in middle.platform.shown] == ["👍", "👎"], "a tap is not marked itself"


async def test_who_may_not_type_it_may_not_choose_it_and_leaves_it_to_others(
    middle: Middle,
) -> None:
    event_id = await offer(middle, YES)
    tap = middle.platform.react(OPS, EVE, "👍", event_id)
    (refused,) = await answers(middle, event_id)
    assert "press is refused" in refused
    assert "stranger-denied" in refused
    assert await outcome(middle, tap) == "refused"
    assert middle.toys.ran == []
    middle.platform.react(OPS, ANN, "👍", event_id)
    assert len(await answers(middle, event_id, 2)) == 2
    assert middle.toys.ran == ["press y"]
    assert [(r["principal_id"], r["allowed"]) for r in middle.audit.rows] == [
        (EVE.id, False),
        (ANN.id, True),
    ]


async def test_of_what_a_message_offers_one_is_chosen_once(middle: Middle) -> None:
    event_id = await offer(middle, YES, NO)
    for mark in ("👍", "👎", "👍"):
        middle.platform.react(OPS, ANN, mark, event_id)
    said = await answers(middle, event_id, 3)
    assert ["was chosen before" in text for text in said] == [False, True, True]
    assert middle.toys.ran == ["press y"]


async def test_an_expired_offer_is_answered_by_a_short_notice(middle: Middle) -> None:
    event_id = await offer(middle, replace(YES, lifetime=timedelta(0)))
    middle.platform.react(OPS, ANN, "👍", event_id)
    (said,) = await answers(middle, event_id)
    assert "the offer to press y has expired" in said
    assert middle.toys.ran == []


@pytest.mark.parametrize("mark", ["❤️", "!press y", "press y", "!backlog delete A1", "👎", "\x00"])
async def test_any_other_mark_is_ignored_in_silence(middle: Middle, mark: str) -> None:
    event_id = await offer(middle, YES)
    tap = middle.platform.react(OPS, ANN, mark, event_id)
    assert await outcome(middle, tap) == "ignored"
    assert middle.toys.ran == []
    assert len(middle.said()) == 1
    assert middle.audit.rows == []


async def test_a_mark_on_what_offers_nothing_is_ignored(middle: Middle) -> None:
    event_id = await offer(middle, YES)
    words = middle.platform.speak(OPS, BEN, "👍 press y")
    (ours,) = (one for one in middle.platform.marks if one[0] == event_id)
    for stands_on in (words, "event-99", "", ours[1]):
        tap = middle.platform.react(OPS, ANN, "👍", stands_on)
        assert await outcome(middle, tap) == "ignored"
    assert middle.toys.ran == []


async def test_a_mark_from_another_room_is_ignored_wherever_it_stands(middle: Middle) -> None:
    event_id = await offer(middle, YES)
    tap = middle.platform.react("elsewhere", ANN, "👍", event_id)
    assert await outcome(middle, tap) == "ignored"
    hidden = await offer(middle, YES, name="hidden", place="elsewhere")
    tap = middle.platform.react("elsewhere", ANN, "👍", hidden)
    assert await outcome(middle, tap) == "ignored"
    tap = middle.platform.react(OPS, ANN, "👍", hidden)
    assert await outcome(middle, tap) == "ignored"
    assert middle.toys.ran == []


async def test_only_who_was_asked_and_operators_choose(middle: Middle) -> None:
    event_id = await offer(middle, Offer("👍", "echo hi", "say hi", HOUR, chooser=BEN.id))
    middle.platform.react(OPS, EVE, "👍", event_id)
    (refused,) = await answers(middle, event_id)
    assert "echo is refused" in refused, "a stranger has no right to the command itself"
    middle.platform.react(OPS, ANN, "👍", event_id)
    assert "you said hi" in (await answers(middle, event_id, 2))[1]


async def test_a_yes_by_a_tap_confirms_once(middle: Middle) -> None:
    middle.platform.speak(OPS, ANN, "!wipe")
    (asked,) = await until(middle.said)
    assert "One tap chooses: ✅ go on · ❌ leave it" in asked
    (question,) = (one for one in middle.platform.standing if one.message)
    await until(lambda: (question.id, "❌") in middle.platform.marks)
    middle.platform.react(OPS, EVE, "✅", question.id)
    assert "refused" in (await answers(middle, question.id))[0]
    middle.platform.react(OPS, ANN, "✅", question.id)
    assert "wiped" in (await answers(middle, question.id, 2))[1]
    middle.platform.react(OPS, ANN, "✅", question.id)
    assert "chosen before" in (await answers(middle, question.id, 3))[2]
    code = asked.partition("!confirm ")[2][:4]
    middle.platform.speak(OPS, ANN, f"!confirm {code}")
    await until(lambda: "nothing waits for you" in middle.said()[-1])
    assert middle.toys.ran == ["wipe"]


async def test_a_no_by_a_tap_takes_the_code_away(middle: Middle) -> None:
    middle.platform.speak(OPS, ANN, "!wipe")
    (asked,) = await until(middle.said)
    (question,) = (one for one in middle.platform.standing if one.message)
    await until(lambda: (question.id, "❌") in middle.platform.marks)
    middle.platform.react(OPS, ANN, "❌", question.id)
    assert "left alone: wipe" in (await answers(middle, question.id))[0]
    code = asked.partition("!confirm ")[2][:4]
    middle.platform.speak(OPS, ANN, f"!confirm {code}")
    await until(lambda: "nothing waits for you" in middle.said()[-1])
    assert middle.toys.ran == []


async def test_a_yes_that_comes_too_late_is_told_so_by_tap_and_by_code() -> None:
    async with Middle(Room(), MemoryPlatform(), confirm=timedelta()).running() as middle:
        middle.platform.speak(OPS, ANN, "!wipe")
        (asked,) = await until(middle.said)
        (question,) = (one for one in middle.platform.standing if one.message)
        await until(lambda: (question.id, "❌") in middle.platform.marks)
        middle.platform.react(OPS, ANN, "✅", question.id)
        assert "the offer to go on has expired" in (await answers(middle, question.id))[0]
        code = asked.partition("!confirm ")[2][:4]
        middle.platform.speak(OPS, ANN, f"!confirm {code}")
        await until(lambda: "the time to confirm `wipe` is over" in middle.said()[-1])
        assert middle.toys.ran == []


async def test_what_a_crash_cut_short_is_named_once_and_never_chosen_again() -> None:
    room, platform = Room(), MemoryPlatform()
    async with Middle(room, platform, "one").running() as middle:
        event_id = await offer(middle, YES)
    source = Address(KIND, OPS)
    cut = Inbound(
        "cut", source, ANN, "👍", datetime.now(UTC), InboundKind.REACTION, stands_on=event_id
    )
    room.events[cut.id] = Event(cut)
    dying = Middle(room, platform, "one")
    assert await dying.journal.begin(cut, "one")
    for life in ("two", "three"):
        async with Middle(room, platform, life).running() as middle:
            said = await answers(middle, event_id)
    assert len(said) == 1
    assert "interrupted: !press y" in said[0]
    assert middle.toys.ran == []


async def test_a_mark_while_we_were_away_counts_when_we_are_back() -> None:
    room, platform = Room(), MemoryPlatform()
    async with Middle(room, platform, "one").running() as middle:
        platform.speak(OPS, ANN, "!echo before")
        await until(middle.said)
        event_id = await offer(middle, YES)
    platform.react(OPS, ANN, "👍", event_id)
    async with Middle(room, platform, "two").running() as middle:
        assert "y was pressed" in (await answers(middle, event_id))[0]
    assert middle.toys.ran == ["press y"]
