"""A card's threads on two platforms are one conversation: through the real router, mailbox and Postgres."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.model import Address, Message, MessageKind
from bot.reply import Offer, Text
from storage.database import Database
from tests.stages.middle import ORCHESTRATOR
from tests.stages.two_platforms import (
    ANN,
    ANNIE,
    BEN,
    EVE,
    LEFT,
    PLACE,
    RIGHT,
    Life,
    Worlds,
    linked,
    marks_of,
    worlds,
)
from tests.unit.middle.test_choices import HOUR
from tests.waiting import until


@pytest.fixture
async def both(database: Database) -> AsyncIterator[Worlds]:
    async with worlds(database) as found:
        yield found


async def test_what_is_said_in_one_thread_is_shown_in_the_other_under_its_author_s_name(
    both: Worlds,
) -> None:
    async with Life(both).running():
        both.on_the_left("is the *schema* right?")
        both.on_the_right("I think so")
        await both.copy(both.right, "is the *schema* right?")
        await both.copy(both.left, "I think so")
        assert await both.quiet(both.right) == ["Ann (left):\n\nis the *schema* right?"]
        assert await both.quiet(both.left) == ["Ben (right):\n\nI think so"]


async def test_a_person_bears_the_name_by_which_they_are_known_there(both: Worlds) -> None:
    both.persons = linked(ANN, ANNIE)
    async with Life(both).running():
        both.on_the_right("it is me", ANNIE)
        await both.copy(both.left, "Ann (right):\n\nit is me")


async def test_an_agent_s_answer_is_shown_in_both_and_answers_what_was_said(both: Worlds) -> None:
    life = Life(both)
    async with life.running():
        asked = both.on_the_left("is it done?")
        copied = await both.copy(both.right, "is it done?")
        await life.answer("It is **done**.")
        answer, copy = await both.copy(both.left, "It is"), await both.copy(both.right, "It is")
        (shown,) = [one.message for one in both.ours(both.left) if one.id == answer]
        (again,) = [one.message for one in both.ours(both.right) if one.id == copy]
        assert shown is not None
        assert again is not None
        assert (shown.reply_to, shown.answers) == (asked, ANN.id)
        assert (again.reply_to, again.answers) == (copied, None), "nobody is called twice"
        assert again.author == shown.author == f"agent:{ORCHESTRATOR.place}"
        assert len(life.terminal.taken) == 1, "what the mirror shows is mail to nobody"


async def test_progress_is_one_message_in_each_and_is_edited_in_both(both: Worlds) -> None:
    life = Life(both)
    async with life.running():
        thread = Address(LEFT, PLACE, both.roots[LEFT])
        first = Message("p", thread, MessageKind.PROGRESS, (Text("at it for 5 s"),), cause="m")
        await life.mailbox.post([first])
        copy = await both.copy(both.right, "at it for 5 s")
        for number in (8, 12):
            words = (Text(f"at it for {number} s"),)
            edit = Message(
                f"p {number}", thread, MessageKind.PROGRESS, words, cause="m", replaces="p"
            )
            await life.mailbox.post([edit])
        assert await both.copy(both.right, "at it for 12 s") == copy
        assert await both.quiet(both.right) == ["at it for 12 s"]


async def test_commands_and_their_answers_are_seen_by_all_and_run_once(both: Worlds) -> None:
    life = Life(both)
    async with life.running():
        both.on_the_right("!echo hello", ANNIE)
        await both.copy(both.left, "!echo hello")
        await both.copy(both.left, "you said hello")
        assert await both.quiet(both.left) == [
            "annie99 (right):\n\n!echo hello",
            "you said hello",
        ]
        assert life.toys.ran == ["hello"]


async def test_an_edit_takes_the_place_of_the_words_from_their_author_alone(both: Worlds) -> None:
    async with Life(both).running():
        said = both.on_the_left("teh schema")
        copy = await both.copy(both.right, "teh schema")
        both.left.speak(PLACE, ANN, "the schema", edits=said)
        assert await both.copy(both.right, "the schema") == copy
        both.left.speak(PLACE, EVE, "no schema", edits=said)
        assert await both.quiet(both.right) == ["Ann (left):\n\nthe schema"]


async def test_what_was_long_and_is_edited_leaves_nothing_behind(both: Worlds) -> None:
    async with Life(both).running():
        long = "\n\n".join(f"paragraph {number} " + "x" * 900 for number in range(14))
        said = both.on_the_left(long)
        await until(lambda: len(both.texts(both.right)) > 1)
        assert 1 < len(await both.quiet(both.right)) < 4
        both.left.speak(PLACE, ANN, "short", edits=said)
        await both.copy(both.right, "short")
        assert await both.quiet(both.right) == ["Ann (left):\n\nshort"]


async def test_what_is_taken_back_is_taken_away_in_every_part(both: Worlds) -> None:
    async with Life(both).running():
        secret = both.on_the_left(
            "\n\n".join(f"token {number} " + "x" * 900 for number in range(14))
        )
        await until(lambda: len(both.texts(both.right)) > 1)
        both.left.redact(PLACE, ANN, secret)
        await until(lambda: not both.texts(both.right))
        assert await both.quiet(both.right) == []


async def test_what_is_taken_back_at_once_is_never_shown(both: Worlds) -> None:
    secret = both.on_the_left("a secret")
    both.left.redact(PLACE, ANN, secret)
    async with Life(both).running():
        await both.quiet(both.right)
    assert "secret" not in repr(both.right.standing)


async def test_marks_stand_on_what_shows_the_same(both: Worlds) -> None:
    life = Life(both)
    async with life.running():
        said = both.on_the_left("look")
        copy = await both.copy(both.right, "look")
        both.left.react(PLACE, ANN, "🎉", said)
        await until(lambda: marks_of(both.right, copy) == ["🎉"])
        both.right.react(PLACE, BEN, "👍", copy)
        await until(lambda: marks_of(both.left, said) == ["👍"])
        await life.answer("I see")
        answer, again = await both.copy(both.left, "I see"), await both.copy(both.right, "I see")
        both.right.react(PLACE, BEN, "💡", again)
        both.left.react(PLACE, ANN, "🎉", answer)
        await until(lambda: marks_of(both.left, answer) == ["💡"])
        await until(lambda: marks_of(both.right, again) == ["🎉"])


async def test_a_mark_stands_until_the_last_who_put_it_takes_it_away(both: Worlds) -> None:
    async with Life(both).running():
        said = both.on_the_right("look")
        copy = await both.copy(both.left, "look")
        marks = [both.right.react(PLACE, who, "👍", said) for who in (BEN, ANNIE, EVE)]
        await until(lambda: marks_of(both.left, copy) == ["👍"])
        both.right.redact(PLACE, BEN, marks[0])
        await both.quiet(both.left)
        assert marks_of(both.left, copy) == ["👍"]
        both.right.redact(PLACE, ANNIE, marks[1])
        await until(lambda: marks_of(both.left, copy) == [])
        both.right.react(PLACE, BEN, "👍", said)
        await until(lambda: marks_of(both.left, copy) == ["👍"])


async def test_strangers_words_and_marks_are_carried_nowhere(both: Worlds) -> None:
    async with Life(both).running():
        both.on_the_right("buy pills", EVE)
        said = both.on_the_right("hello")
        copy = await both.copy(both.left, "hello")
        both.right.react(PLACE, EVE, "💩", said)
        assert await both.quiet(both.left) == ["Ben (right):\n\nhello"]
        assert marks_of(both.left, copy) == []


async def test_what_is_offered_in_one_may_be_chosen_in_the_other(both: Worlds) -> None:
    life = Life(both)
    async with life.running():
        thread = Address(LEFT, PLACE, both.roots[LEFT])
        offer = Offer("🔑", "press y", "press y", HOUR)
        message = Message(
            "question", thread, MessageKind.REPLY, (Text("choose"),), cause="c", offers=(offer,)
        )
        await life.mailbox.post([message])
        copy = await both.copy(both.right, "choose")
        await until(lambda: marks_of(both.right, copy) == ["🔑"])
        both.persons = linked(ANN, BEN)
        both.right.react(PLACE, BEN, "🔑", copy)
        await until(lambda: life.toys.ran == ["press y"])
        await both.copy(both.left, "Ben chose 🔑: press y.")
        original = await both.copy(both.left, "choose")
        assert marks_of(both.left, original) == ["🔑"], "a choice is no mark to be shown"


async def test_a_confirmation_that_was_asked_for_in_one_is_given_in_the_other(both: Worlds) -> None:
    both.persons = linked(ANN, ANNIE)
    life = Life(both)
    async with life.running():
        both.on_the_left("!wipe")
        copy = await both.copy(both.right, "This wipes the board.")
        await until(lambda: "✅" in [m for on, m in both.right.marks if on == copy])
        both.right.react(PLACE, ANNIE, "✅", copy)
        await until(lambda: life.toys.ran == ["wipe"])
        await both.copy(both.left, "wiped")


async def test_a_person_s_files_are_named_shown_and_taken_away(both: Worlds) -> None:
    life = Life(both)
    async with life.running():
        root = both.roots[RIGHT]
        sent = both.right.send_file(PLACE, BEN, "plan.md", b"# plan", caption="mine", thread=root)
        await both.copy(both.left, "[file plan.md, application/octet-stream, 6 bytes]\n\nmine")

        def files() -> list[bytes]:
            return [one.file for one in both.ours(both.left) if one.file is not None]

        await until(lambda: files() == [b"# plan"])
        both.on_the_right("and?")
        await both.copy(both.left, "and?")
        both.right.redact(PLACE, BEN, sent)
        await until(lambda: both.texts(both.left) == ["Ben (right):\n\nand?"])
        assert files() == []


async def test_a_file_that_was_taken_back_before_it_was_shown_never_is(both: Worlds) -> None:
    life = Life(both)
    async with life.running(mirrors=False):
        root = both.roots[RIGHT]
        sent = both.right.send_file(PLACE, BEN, "secret.md", b"# secret", thread=root)
        await until(lambda: life.terminal.taken, what="the mail with the file")
        both.right.redact(PLACE, BEN, sent)
        both.on_the_right("!echo heard")
        await both.copy(both.right, "you said heard")
    async with Life(both, "two").running():
        assert await both.quiet(both.left) == ["Ben (right):\n\n!echo heard", "you said heard"]


async def test_what_a_stranger_is_answered_is_carried_nowhere(both: Worlds) -> None:
    async with Life(both).running():
        both.on_the_right("!pills at https://example.org", EVE)
        await both.copy(both.right, "pills")
        assert await both.quiet(both.left) == []


async def test_strangers_files_are_carried_nowhere(both: Worlds) -> None:
    async with Life(both).running():
        root = both.roots[RIGHT]
        both.right.send_file(PLACE, EVE, "pills.txt", b"buy", thread=root)
        assert await both.quiet(both.left) == []


async def test_other_threads_and_the_room_itself_stay_as_they_are(both: Worlds) -> None:
    life = Life(both)
    async with life.running():
        both.left.speak(PLACE, ANN, "in the room")
        both.left.speak(PLACE, ANN, "elsewhere", thread="event-other")
        event_id = both.left.speak(PLACE, ANN, "more")
        both.left.react(PLACE, ANN, "🎉", event_id)
        assert await both.quiet(both.right) == []


async def test_threads_that_are_kept_apart_show_nothing_of_each_other(both: Worlds) -> None:
    both.apart.add(RIGHT)
    async with Life(both).running():
        both.on_the_left("private")
        await until(lambda: len([s for s in both.left.standing if s.sender]) > 1)
        both.on_the_left("!echo done")
        await both.copy(both.left, "you said done")
    assert both.texts(both.right) == []


async def test_nothing_is_lost_or_doubled_over_lives_and_lost_answers(both: Worlds) -> None:
    wanted = []
    for number in range(6):
        life = Life(both, f"life {number}")
        both.left.lose_answers = both.right.lose_answers = 2
        async with life.running():
            for side in range(3):
                text = f"word {number}.{side}"
                if side % 2:
                    both.on_the_right(text)
                else:
                    both.on_the_left(text)
                wanted.append(text)
            if number % 2:
                await both.copy(both.right, f"word {number}.0")
    async with Life(both, "last").running():
        left, right = await both.quiet(both.left), await both.quiet(both.right)
    shown = [text.rpartition("\n")[2] for text in (*left, *right)]
    assert sorted(shown) == sorted(wanted)
    assert [text for text in shown if text.endswith(".1")] == [
        w for w in wanted if w.endswith(".1")
    ]


async def test_of_several_daemons_one_shows_it(both: Worlds) -> None:
    life, other = Life(both), Life(both, "another")
    mirrors = [asyncio.create_task(other.mirror.run(lambda _detail: None)) for _ in range(2)]
    try:
        async with life.running():
            for number in range(5):
                both.on_the_left(f"word {number}")
                both.on_the_right(f"answer {number}")
            await both.copy(both.right, "word 4")
            assert len(await both.quiet(both.right)) == 5
            assert len(await both.quiet(both.left)) == 5
    finally:
        for mirror in mirrors:
            mirror.cancel()
        await asyncio.gather(*mirrors, return_exceptions=True)


async def test_a_line_that_is_down_is_waited_for(both: Worlds) -> None:
    async with Life(both).running():
        both.right.cut()
        both.on_the_left("while you were away")
        await until(lambda: both.right.line_up is False)
    both.right.restore()
    async with Life(both, "two").running():
        await both.copy(both.right, "while you were away")
        assert len(await both.quiet(both.right)) == 1


async def test_what_is_said_while_there_is_nothing_to_show_is_never_shown(both: Worlds) -> None:
    life = Life(both)
    async with life.running():
        both.on_the_left("before")
        await both.copy(both.right, "before")
        both.active = False
        passed = await until(lambda: both.asked)
        await until(lambda: both.asked > passed + 1)
        both.on_the_left("!echo meanwhile")
        await both.copy(both.left, "you said meanwhile")
        await life.worlds.settle()
        both.active = True
        assert await both.quiet(both.right) == ["Ann (left):\n\nbefore"]


async def test_a_daemon_with_one_platform_leaves_the_reading_to_the_one_that_shows(
    both: Worlds,
) -> None:
    both.several = False
    async with Life(both).running():
        both.on_the_left("!echo later")
        await both.copy(both.left, "you said later")
        await both.age()
        passed = both.looks
        await until(lambda: both.looks > passed + 35, what="it has looked at all of it once")
        both.several = True
        await both.copy(both.right, "you said later")
