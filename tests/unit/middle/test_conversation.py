"""One chat line, and one word to the orchestrator, from end to end on in-memory edges."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.agents.failure import FailureKind, TurnFailure, failure_in
from bot.errors import TransientError, UserError
from bot.model import Address, Message, MessageKind, ReceiptState, SendResult
from bot.reply import Text
from connectors.memory import MemoryPlatform
from tests.fakes.mailroom import Event, Room
from tests.stages.middle import ANN, EVE, OPS, ORCHESTRATOR, Middle
from tests.waiting import until


@pytest.fixture
async def middle() -> AsyncIterator[Middle]:
    async with Middle(Room(), MemoryPlatform()).running() as found:
        yield found


async def test_a_command_is_answered_as_a_reply_and_marked_done(middle: Middle) -> None:
    event_id = middle.platform.speak(OPS, ANN, "!echo hi")
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    (answer,) = (s for s in middle.platform.standing if s.message)
    assert answer.text == "you said hi"
    assert answer.message is not None
    assert (answer.message.kind, answer.message.reply_to) == (MessageKind.REPLY, event_id)
    assert middle.platform.marks == [(event_id, "✅")]


async def test_an_answer_stays_in_its_thread(middle: Middle) -> None:
    middle.platform.speak(OPS, ANN, "!echo hi", thread="t1")
    await until(middle.said)
    assert middle.platform.standing[-1].thread == "t1"


async def test_free_text_begins_a_thread_and_the_talk_stays_in_it(middle: Middle) -> None:
    root = middle.platform.speak(OPS, ANN, "hello")
    await until(lambda: middle.terminal.taken)
    (first,) = (m for m in middle.room.messages.values() if m.kind is MessageKind.MAIL)
    await middle.relay.answered(first.id, "hello yourself")
    await until(lambda: "hello yourself" in middle.said())
    middle.platform.speak(OPS, ANN, "and then?", thread=root)
    await until(lambda: len(middle.terminal.taken) == 2)
    mails = [m for m in middle.room.messages.values() if m.kind is MessageKind.MAIL]
    second = mails[-1]
    await middle.relay.answered(second.id, "nothing")
    await until(lambda: "nothing" in middle.said())
    ours = [one for one in middle.platform.standing if one.message]
    assert {one.thread for one in ours} == {root}
    assert [one.message.answers for one in ours if one.message] == [ANN.id, ANN.id]


async def test_where_threads_are_turned_off_free_text_is_answered_in_the_room() -> None:
    async with Middle(Room(), MemoryPlatform(), conversations=False).running() as middle:
        middle.platform.speak(OPS, ANN, "hello")
        await until(lambda: middle.terminal.taken)
        (mail,) = (m for m in middle.room.messages.values() if m.kind is MessageKind.MAIL)
        await middle.relay.answered(mail.id, "hello yourself")
        await until(middle.said)
        assert middle.platform.standing[-1].thread is None


async def test_commands_of_a_room_run_in_order(middle: Middle) -> None:
    for number in range(20):
        middle.platform.speak(OPS, ANN, f"!echo {number}")
    await until(lambda: len(middle.said()) == 20)
    assert middle.said() == [f"you said {number}" for number in range(20)]


async def test_a_slow_command_is_marked_as_taken_and_shows_typing(middle: Middle) -> None:
    event_id = middle.platform.speak(OPS, ANN, "!wait")
    await until(lambda: (event_id, "👀") in middle.platform.marks)
    await until(lambda: OPS in middle.platform.typing)
    middle.toys.gate.set()
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    assert middle.said() == ["at last"]
    assert not middle.platform.typing


async def test_a_misspelt_command_is_answered_with_what_was_meant(middle: Middle) -> None:
    event_id = middle.platform.speak(OPS, ANN, "!ecco hi")
    await until(lambda: (event_id, "❌") in middle.platform.marks)
    assert "did you mean `echo`" in middle.said()[0]


async def test_a_bug_gets_a_reference_and_no_details(middle: Middle) -> None:
    middle.platform.speak(OPS, ANN, "!crash")
    await until(middle.said)
    assert "reference" in middle.said()[0]
    assert "secret" not in middle.said()[0]


async def test_a_stranger_is_refused_by_rule_and_noted(middle: Middle) -> None:
    middle.platform.speak(OPS, EVE, "!echo hi")
    await until(middle.said)
    assert "stranger-denied" in middle.said()[0]
    assert middle.toys.ran == []
    assert [(r["principal_id"], r["allowed"]) for r in middle.audit.rows] == [(EVE.id, False)]


async def test_a_room_that_is_not_listed_hears_nothing(middle: Middle) -> None:
    middle.platform.speak("elsewhere", ANN, "!echo hi")
    middle.platform.speak(OPS, ANN, "!echo here")
    await until(middle.said)
    assert middle.toys.ran == ["here"]


async def test_an_edit_is_not_run(middle: Middle) -> None:
    event_id = middle.platform.speak(OPS, ANN, "!echo one")
    await until(middle.said)
    middle.platform.speak(OPS, ANN, "!echo two", edits=event_id)
    await until(lambda: len(middle.said()) == 2)
    assert "edit" in middle.said()[1]
    assert middle.toys.ran == ["one"]


async def test_a_destructive_command_waits_for_its_code(middle: Middle) -> None:
    middle.platform.speak(OPS, ANN, "!wipe")
    await until(middle.said)
    code = middle.said()[0].partition("!confirm ")[2][:4]
    middle.platform.speak(OPS, EVE, f"!confirm {code}")
    middle.platform.speak(OPS, ANN, f"!confirm {code}")
    middle.platform.speak(OPS, ANN, f"!confirm {code}")
    await until(lambda: len(middle.said()) == 4)
    assert middle.toys.ran == ["wipe"]
    assert middle.said()[2] == "wiped"
    assert "nothing waits for you" in middle.said()[3]


async def test_a_command_that_lost_the_database_is_named_as_interrupted(middle: Middle) -> None:
    middle.platform.speak(OPS, ANN, "!lose")
    await until(middle.said)
    assert middle.said()[0].startswith("interrupted: !lose")


async def test_what_a_crash_cut_short_is_named_once_and_never_run() -> None:
    room, platform = Room(), MemoryPlatform()
    async with Middle(room, platform, "one").running() as middle:
        middle.platform.speak(OPS, ANN, "!echo done")
        await until(middle.said)
    event = replace(next(iter(room.events.values())).inbound, event_id="cut", text="!echo cut")
    dying = Middle(room, platform, "one")
    room.events[event.id] = Event(event)
    assert await dying.journal.begin(event, "one")
    for life in ("two", "three"):
        async with Middle(room, platform, life).running() as middle:
            await until(lambda: len(middle.said()) == 2)
    assert middle.said()[1].startswith("interrupted: !echo cut")
    assert middle.toys.ran == []
    assert ("cut", "❌") in platform.marks


async def test_what_a_crash_cut_short_and_only_reads_is_answered_by_the_next_life() -> None:
    room, platform = Room(), MemoryPlatform()
    async with Middle(room, platform, "one").running() as middle:
        platform.speak(OPS, ANN, "!echo done")
        await until(middle.said)
    event = replace(next(iter(room.events.values())).inbound, event_id="cut", text="!echo again")
    room.events[event.id] = Event(event)
    async with Middle(room, platform, "two").running() as middle:
        await until(lambda: ("cut", "✅") in platform.marks)
    assert middle.said()[1] == "you said again"


async def test_reading_is_not_marked_as_begun_and_writing_is(middle: Middle) -> None:
    for line in ("!echo hi", "!wipe", "!none", "words"):
        middle.platform.speak(OPS, ANN, line)
    await until(lambda: len(middle.said()) == 3 and middle.terminal.taken)
    events = middle.room.events.values()
    assert [event.inbound.text for event in events if event.token] == ["!wipe"]


async def test_words_go_to_the_orchestrator_and_its_answer_comes_back(middle: Middle) -> None:
    event_id = middle.platform.speak(OPS, ANN, "hello", thread="t1")
    (mail,) = await until(lambda: middle.terminal.taken)
    assert (mail.outbound.text, mail.outbound.author) == ("hello", ANN.id)
    assert (event_id, "👀") in middle.platform.shown
    await until(lambda: OPS in middle.platform.typing)
    for _ in range(2):  # an answer that is told twice is said once
        await middle.relay.answered(mail.outbound.message_id, "**hi** Ann")
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    answer = middle.platform.standing[-1]
    assert (answer.text, answer.thread) == ("**hi** Ann", "t1")
    assert answer.message is not None
    assert (answer.message.kind, answer.message.reply_to) == (MessageKind.ANSWER, event_id)
    assert len(middle.said()) == 1
    await until(lambda: OPS not in middle.platform.typing)


async def test_work_that_was_handed_out_before_its_card_had_a_thread_is_answered_there(
    middle: Middle,
) -> None:
    work = Message("m1", ORCHESTRATOR, MessageKind.MAIL, (Text("Card A1"),), tag="card")
    stray = replace(work, id="m2")
    await middle.mailbox.post([work, stray])
    await until(lambda: len(middle.terminal.taken) == 2)
    middle.homes["m1"] = Address("memory", OPS, "cards")
    for message_id in ("m1", "m2"):
        await middle.relay.answered(message_id, "done")
    await until(middle.said)
    assert [(one.text, one.thread) for one in middle.platform.standing] == [("done", "cards")]


async def test_a_turn_that_a_limit_ended_is_told_once_and_is_no_answer(middle: Middle) -> None:
    event_id = middle.platform.speak(OPS, ANN, "hello", thread="t1")
    (mail,) = await until(lambda: middle.terminal.taken)
    await until(lambda: OPS in middle.platform.typing)
    failure = TurnFailure(FailureKind.LIMIT, "resets at 3 pm")
    for _ in range(2):
        await middle.relay.failed(mail.outbound.message_id, failure)
    await until(lambda: (event_id, "❌") in middle.platform.marks)
    (said,) = [one for one in middle.platform.standing if one.message]
    assert said.text == (
        "orchestrator has the message and gave no answer: its program has reached a usage limit.\n"
        "resets at 3 pm"
    )
    assert said.message is not None
    assert (said.thread, said.message.kind) == ("t1", MessageKind.NOTICE)
    assert said.message.reply_to == event_id
    assert (event_id, "✅") not in middle.platform.marks
    await until(lambda: OPS not in middle.platform.typing)
    receipts = middle.room.of(mail.outbound.message_id)
    assert failure_in(receipts[-1]) is FailureKind.LIMIT


async def test_a_strangers_words_reach_nobody(middle: Middle) -> None:
    middle.platform.speak(OPS, EVE, "hello")
    middle.platform.speak(OPS, ANN, "hello")
    await until(lambda: middle.terminal.taken)
    assert [mail.outbound.author for mail in middle.terminal.taken] == [ANN.id]


@pytest.mark.parametrize(
    ("end", "words", "mark"),
    [
        (
            UserError("orchestrator is not running"),
            "was not delivered: orchestrator is not running",
            "❌",
        ),
        (SendResult(ReceiptState.UNKNOWN, reason="no echo"), "may not have arrived: no echo", "❓"),
    ],
)
async def test_mail_that_did_not_arrive_is_told_to_its_sender(
    middle: Middle, end: SendResult | Exception, words: str, mark: str
) -> None:
    middle.terminal.ends.append(end)
    event_id = middle.platform.speak(OPS, ANN, "hello")
    await until(lambda: (event_id, mark) in middle.platform.marks)
    assert words in (await until(middle.said))[0]


@pytest.mark.parametrize(
    ("lands", "mark", "words"),
    [
        (False, "❌", "was not delivered: given up after"),
        (True, "❓", "may not have arrived: given up after"),
    ],
)
async def test_mail_that_is_given_up_has_failed_only_if_nothing_of_it_was_typed(
    middle: Middle, *, lands: bool, mark: str, words: str
) -> None:
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    middle.room.now = lambda: long_ago
    middle.terminal.lands = lands
    middle.terminal.ends.append(TransientError("tmux does not answer"))
    event_id = middle.platform.speak(OPS, ANN, "hello")
    await until(lambda: (event_id, mark) in middle.platform.marks)
    await until(lambda: words in "".join(middle.said()))
    assert not middle.terminal.taken


async def test_mail_of_unknown_fate_that_arrives_late_is_told_once_and_accepted(
    middle: Middle,
) -> None:
    middle.terminal.ends.append(SendResult(ReceiptState.UNKNOWN, reason="no echo"))
    event_id = middle.platform.speak(OPS, ANN, "hello")
    await until(lambda: (event_id, "❓") in middle.platform.marks)
    (mail,) = (m for m in middle.room.messages.values() if m.kind is MessageKind.MAIL)
    for _ in range(2):
        await middle.relay.arrived(mail.id, {"offset": 7})
    await until(lambda: (event_id, "📬") in middle.platform.marks)
    assert (event_id, "❓") not in middle.platform.marks
    await middle.relay.answered(mail.id, "here I am")
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    assert [words.partition(" has")[2] for words in middle.said()[1:]] == [
        " arrived after all.",
        "",
    ]
    last = middle.room.of(mail.id)[-2]
    assert (last.state, last.by, last.evidence) == (
        ReceiptState.ACCEPTED,
        "submitted",
        {"offset": 7},
    )


async def test_a_broken_line_delays_and_doubles_nothing(middle: Middle) -> None:
    middle.platform.lose_answers = 2
    middle.platform.speak(OPS, ANN, "!echo one")
    middle.platform.speak(OPS, ANN, "!echo two")
    await until(lambda: len(middle.said()) == 2)
    assert middle.said() == ["you said one", "you said two"]


async def test_what_was_said_while_the_database_was_away_is_handled_when_it_is_back(
    middle: Middle,
) -> None:
    event_id = middle.platform.speak(OPS, ANN, "!echo one")
    await until(lambda: (event_id, "✅") in middle.platform.marks)
    middle.toys.gate.set()
    middle.platform.speak(OPS, ANN, "!wait")
    middle.room.away = TransientError("away")
    await until(lambda: middle.said() == ["you said one"])
    middle.room.away = None
    await until(lambda: middle.said() == ["you said one", "at last"])


async def test_missed_words_are_accounted_for_in_one_line() -> None:
    room, platform = Room(), MemoryPlatform()
    async with Middle(room, platform, "one").running() as middle:
        platform.speak(OPS, ANN, "!echo before")
        await until(middle.said)
    for number in range(3):
        platform.speak(OPS, ANN, f"!echo {number}")
    async with Middle(room, platform, "two").running() as middle:
        await until(lambda: len(middle.said()) == 5)
    assert middle.said()[1:] == ["recovered 3, lost 0", *(f"you said {n}" for n in range(3))]
