"""What every connector must do, as tests: a new one brings a stage and inherits the rest.

    class TestMemory(ConnectorContract):
        @pytest.fixture
        async def stage(self) -> AsyncIterator[Stage]: ...

Nothing here depends on a platform. What a platform cannot do (threads, edits, reactions) is asked of
``capabilities()``; its absence is then what is checked.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from bot.connector import ConnectorHealth
from bot.errors import TransientError, UserError
from bot.model import Address, InboundKind, MessageKind, ReceiptState
from bot.render.rendering import render
from bot.reply import Block, Code, Markdown, Text
from connectors.stage import (
    PATIENCE,
    Ledger,
    Stage,
    Standing,
    deliver,
    eventually,
    is_up,
    listening,
    outbound,
)
from connectors.testing_files import FilesContract
from connectors.testing_removal import RemovalContract

HOSTILE = (
    "\x00\x07\x1b[31mred\x1b]0;title\x07 \x9b2J",
    "<script>alert(1)</script> <img src=x onerror=y> &lt; &#0;",
    "@room @everyone @here <@1> [x](javascript:alert(1))",
    "\u202egpj.exe \u2066left\u2069 \u200f right to left",
    "``` ~~~ ````\n```\n",
    "#{pane_id} $(reboot) `reboot` %s %n {0} ; -- ' \" \\",
    "e\u0301 👩\u200d💻 🇩🇪 日本 \U0010ffff",
    '{"frame":"hello"} null [] \r\n.\r\n',
)


class ConnectorContract(FilesContract, RemovalContract):
    """Inherit, and give a fixture ``stage``. Every test has its own place and its own person."""

    async def test_a_message_is_shown_once_and_the_platforms_id_comes_back(
        self, stage: Stage
    ) -> None:
        async with listening(stage, Ledger()):
            result = await stage.connector.send(outbound(stage, "hello"))
            assert result.state is ReceiptState.ACCEPTED
            assert result.platform_id
            assert await stage.standing() == [Standing("hello")]

    async def test_the_same_transaction_twice_is_shown_once(self, stage: Stage) -> None:
        async with listening(stage, Ledger()):
            message = outbound(stage, "once")
            first = await stage.connector.send(message)
            again = await stage.connector.send(message)
            assert again.platform_id == first.platform_id
            await stage.connector.send(outbound(stage, "after it"))
            assert await stage.standing() == [Standing("once"), Standing("after it")]

    async def test_the_same_transaction_after_a_restart_is_shown_once(self, stage: Stage) -> None:
        message = outbound(stage, "once")
        async with listening(stage, Ledger()):
            await stage.connector.send(message)
        await stage.restart()
        async with listening(stage, Ledger()):
            await deliver(stage, message)
            await deliver(stage, outbound(stage, "after it"))
            assert await stage.standing() == [Standing("once"), Standing("after it")]

    async def test_a_place_shows_messages_in_the_order_of_sending(self, stage: Stage) -> None:
        texts = [f"line {number}" for number in range(10)]
        async with listening(stage, Ledger()):
            for text in texts:
                await stage.connector.send(outbound(stage, text))
            assert [one.text for one in await stage.standing()] == texts

    async def test_what_a_person_says_comes_in_with_who_where_and_when(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            event = await ledger.arrival(await stage.speak("!help"))
        assert (event.text, event.kind, event.recovered) == ("!help", InboundKind.TEXT, False)
        assert event.source == stage.place
        assert event.sender.id.partition(":")[2]
        assert event.sent_at.tzinfo is not None

    async def test_events_come_in_the_order_of_speaking(self, stage: Stage) -> None:
        ledger, texts = Ledger(), [f"word {number}" for number in range(12)]
        async with listening(stage, ledger):
            spoken = [await stage.speak(text) for text in texts]
            await ledger.arrival(spoken[-1])
        assert ledger.texts() == texts

    async def test_nothing_comes_twice_after_a_restart(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            await ledger.arrival(await stage.speak("before"))
        await stage.restart()
        async with listening(stage, ledger):
            await ledger.arrival(await stage.speak("after"))
        assert ledger.texts() == ["before", "after"]

    async def test_what_is_said_while_we_are_down_comes_afterwards(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            await ledger.arrival(await stage.speak("before"))
        await stage.cut()
        missed = [await stage.speak(f"missed {number}") for number in range(3)]
        await stage.restart()
        await stage.restore()
        async with listening(stage, ledger):
            await ledger.arrival(missed[-1])
        assert ledger.texts() == ["before", "missed 0", "missed 1", "missed 2"]

    async def test_an_event_that_could_not_be_stored_is_offered_again(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            await ledger.arrival(await stage.speak("first"))
            ledger.faults = 2
            await ledger.arrival(await stage.speak("kept"))
        assert ledger.texts() == ["first", "kept"]

    async def test_our_own_words_do_not_come_back(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            for kind in (MessageKind.REPLY, MessageKind.NOTICE, MessageKind.ANSWER):
                await stage.connector.send(outbound(stage, "!fleet stop", kind))
            await ledger.arrival(await stage.speak("the end"))
        assert ledger.texts() == ["the end"]

    async def test_threads_are_kept_both_ways(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            root = await stage.speak("root")
            event_id = await stage.speak("in it", thread=root)
            event = await ledger.arrival(event_id)
            answer = replace(outbound(stage, "answer"), to=event.source, reply_to=event_id)
            await stage.connector.send(answer)
        thread = root if stage.connector.capabilities().threads else None
        assert event.source.thread == thread
        assert await stage.standing() == [Standing("answer", thread)]

    async def test_an_edit_comes_as_an_edit(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            original = await stage.speak("!backlog list")
            if stage.connector.capabilities().edits:
                edit = await ledger.arrival(await stage.edit(original, "!fleet stop"))
                assert (edit.kind, edit.stands_on) == (InboundKind.EDIT, original)
                assert edit.event_id != original
            await ledger.arrival(await stage.speak("the end"))
        assert ledger.texts() == ["!backlog list", "the end"]

    async def test_what_is_taken_back_comes_as_a_redaction_of_it(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            original = await stage.speak("!fleet stop")
            await ledger.arrival(original)
            if stage.connector.capabilities().edits:
                gone = await ledger.arrival(await stage.redact(original))
                assert (gone.kind, gone.text) == (InboundKind.REDACTION, "")
                assert (gone.stands_on, gone.source) == (original, stage.place)
                assert gone.sender.id.partition(":")[2]
            await ledger.arrival(await stage.speak("the end"))
        assert ledger.texts() == ["!fleet stop", "the end"]

    async def test_what_was_taken_back_while_we_were_down_is_never_to_be_run(
        self, stage: Stage
    ) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            before = await stage.speak("before")
            await ledger.arrival(before)
        await stage.cut()
        gone = await stage.speak("!fleet stop")
        if stage.connector.capabilities().edits:
            await stage.redact(gone)
            await stage.redact(before)
        await stage.restart()
        await stage.restore()
        async with listening(stage, ledger):
            await ledger.arrival(await stage.speak("the end"))
        if stage.connector.capabilities().edits:
            taken_back = {one.stands_on for one in ledger.events if one.stands_on}
            ran = [one.text for one in ledger.events if one.event_id not in taken_back]
            assert [text for text in ran if text] == ["the end"]

    async def test_an_edit_of_ours_takes_the_place_of_what_it_edits(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            first = outbound(stage, "working", MessageKind.PROGRESS)
            shown = await stage.connector.send(first)
            await stage.connector.send(outbound(stage, "in between"))
            edits = [
                replace(
                    outbound(stage, text, MessageKind.PROGRESS), replaced_event=shown.platform_id
                )
                for text in ("working <b>on</b>", "done")
            ]
            if not stage.connector.capabilities().edits:
                with contextlib.suppress(UserError):
                    await stage.connector.send(edits[0])
                    raise AssertionError("it was taken")
                return
            for edit in (*edits, edits[0]):
                # An edit of what was edited names the original too, and a repeated one changes nothing.
                await stage.connector.send(edit)
            assert await stage.standing() == [Standing("done"), Standing("in between")]
            await ledger.arrival(await stage.speak("the end"))
        assert ledger.texts() == ["the end"]

    async def test_an_edit_stays_in_the_thread_of_what_it_edits(self, stage: Stage) -> None:
        capabilities = stage.connector.capabilities()
        ledger = Ledger()
        async with listening(stage, ledger):
            root = await stage.speak("root")
            await ledger.arrival(root)
            if not (capabilities.edits and capabilities.threads):
                return
            place = replace(stage.place, thread=root)
            first = replace(outbound(stage, "working", MessageKind.PROGRESS), to=place)
            shown = await stage.connector.send(first)
            edit = replace(outbound(stage, "done", MessageKind.NOTICE), to=place)
            await stage.connector.send(replace(edit, replaced_event=shown.platform_id))
            assert await stage.standing() == [Standing("done", root)]

    async def test_marks_stand_on_their_event_and_never_come_in_as_words(
        self, stage: Stage
    ) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            event_id = await stage.speak("!help")
            await ledger.arrival(event_id)
            if stage.connector.capabilities().reactions:
                mark = replace(outbound(stage, "✅", MessageKind.REACTION), reply_to=event_id)
                await stage.connector.send(mark)
                assert await stage.marks(event_id) == ["✅"]
            if stage.connector.capabilities().choices:
                await stage.react(event_id, "❌")
            await ledger.arrival(await stage.speak("the end"))
        assert ledger.texts() == ["!help", "the end"]
        assert await stage.standing() == []

    async def test_a_person_s_mark_comes_in_with_what_it_stands_on_and_ours_do_not(
        self, stage: Stage
    ) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            said = await stage.connector.send(outbound(stage, "choose", MessageKind.NOTICE))
            assert said.platform_id
            if stage.connector.capabilities().choices:
                mark = outbound(stage, "👍", MessageKind.REACTION)
                await stage.connector.send(replace(mark, reply_to=said.platform_id))
                event = await ledger.arrival(await stage.react(said.platform_id, "👍"))
                assert (event.kind, event.text) == (InboundKind.REACTION, "👍")
                assert (event.stands_on, event.source) == (said.platform_id, stage.place)
                assert event.sender.id.partition(":")[2]
                await stage.react(said.platform_id, "!fleet stop")
            await ledger.arrival(await stage.speak("the end"))
        assert ledger.texts() == ["the end"]
        kinds = [event.kind for event in ledger.events]
        assert kinds.count(InboundKind.REACTION) == len(kinds) - 1

    async def test_a_mark_takes_the_place_of_the_one_before(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            event_id = await stage.speak("!help")
            await ledger.arrival(event_id)
            if stage.connector.capabilities().reactions:
                mark = replace(outbound(stage, "👀", MessageKind.REACTION), reply_to=event_id)
                first = await stage.connector.send(mark)
                later = replace(outbound(stage, "✅", MessageKind.REACTION), reply_to=event_id)
                later = replace(later, former_mark=first.platform_id)
                for _ in range(2):  # a repeated one changes nothing
                    await stage.connector.send(later)
                assert await stage.marks(event_id) == ["✅"]

    async def test_a_message_for_another_platform_is_refused(self, stage: Stage) -> None:
        message = replace(outbound(stage, "x"), to=Address("nowhere", stage.place.place))
        with contextlib.suppress(UserError):
            await stage.connector.send(message)
            raise AssertionError("it was taken")

    async def test_while_the_line_is_down_sending_fails_and_health_says_so(
        self, stage: Stage
    ) -> None:
        message = outbound(stage, "through")
        async with listening(stage, Ledger()):
            up = await stage.connector.health()
            await stage.cut()
            with contextlib.suppress(TransientError):
                await stage.connector.send(message)
                raise AssertionError("it was taken")
            await eventually(lambda: _is_down(stage))
            await stage.restore()
            await eventually(lambda: is_up(stage))
            await deliver(stage, message)
            assert await stage.standing() == [Standing("through")]
        _check_health(up)

    async def test_health_tells_how_old_the_last_event_is(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            await ledger.arrival(await stage.speak("ping"))
            health = await eventually(lambda: _with_age(stage))
        assert health.last_inbound_age is not None
        assert 0 <= health.last_inbound_age.total_seconds() < PATIENCE

    async def test_long_replies_fit_in_the_parts_that_the_platform_allows(
        self, stage: Stage
    ) -> None:
        limit = stage.connector.capabilities().max_bytes
        block = Code("x < y & z\n" * (limit // 10), "py")
        texts = await _send_blocks(stage, [block, Text("the end")])
        assert len(texts) > 1
        assert sum(text.count("x < y & z") for text in texts) == limit // 10
        assert [one.text for one in await stage.standing()] == texts

    async def test_hostile_words_of_ours_are_shown_and_harm_nothing(self, stage: Stage) -> None:
        texts: list[str] = []
        for words in HOSTILE:
            texts += await _send_blocks(stage, [Text(words), Markdown(words), Code(words, words)])
        assert [one.text for one in await stage.standing()] == texts

    async def test_hostile_words_of_people_come_in_and_harm_nothing(self, stage: Stage) -> None:
        ledger = Ledger()
        async with listening(stage, ledger):
            for words in HOSTILE:
                await stage.speak(f"begin {words} end")
            await ledger.arrival(await stage.speak("the end"))
        assert len(ledger.texts()) == len(HOSTILE) + 1
        for text in ledger.texts():
            assert "\x00" not in text
            assert text.encode().decode() == text

    async def test_showing_work_harms_nothing(self, stage: Stage) -> None:
        typing = getattr(stage.connector, "typing", None)
        assert (typing is not None) == stage.connector.capabilities().typing
        async with listening(stage, Ledger()):
            if typing is not None:
                await typing(stage.place, active=True)
                await typing(stage.place, active=False)
            await stage.connector.send(outbound(stage, "still here"))
            assert await stage.standing() == [Standing("still here")]


async def _is_down(stage: Stage) -> bool:
    return not await is_up(stage)


async def _with_age(stage: Stage) -> ConnectorHealth | None:
    health = await stage.connector.health()
    return health if health.last_inbound_age is not None else None


def _check_health(health: ConnectorHealth) -> None:
    assert health.reachable
    assert health.authenticated
    assert health.state


async def _send_blocks(stage: Stage, blocks: Sequence[Block]) -> list[str]:
    """Send blocks as the mailbox does; return the texts of their parts."""
    capabilities = stage.connector.capabilities()
    parts = render(blocks, capabilities.max_bytes, markdown=capabilities.markdown)
    async with listening(stage, Ledger()):
        for part in parts:
            message = outbound(stage, part.text)
            await stage.connector.send(
                replace(message, html=part.html if capabilities.html else None)
            )
    return [part.text for part in parts]
