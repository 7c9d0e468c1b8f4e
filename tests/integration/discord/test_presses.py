"""Buttons, selects and forms: each press is judged anew, and all of them are good after a restart."""

import gc
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import discord
import pytest
from simcord import InteractionResult

from bot.model import Message, MessageKind
from bot.reply import Offer, Text, standing_offer
from bot.supervision.pause import PAUSE_OFFER
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.mailroom import Room
from tests.stages.touches import Server, TouchMiddle, a_server, labels, message_of, text_of
from tests.waiting import until

HOUR = timedelta(hours=1)
PRESS = Offer("👍", "press y", "press y", HOUR)
CLAIM = standing_offer("backlog claim --owner me", "claim it", "🙋")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with a_server() as server:
        yield server


async def notice(server: Server, middle: TouchMiddle, *offers: Offer) -> discord.Message:
    """Let us say something that offers something, and return it as people see it."""
    said = Message("n", server.place, MessageKind.NOTICE, (Text("choose"),), offers=offers)
    await middle.mailbox.post([said])
    return await message_of(server, "choose")


async def said_below(server: Server, words: str) -> str:
    """Wait until something is said in the channel or a thread of it."""

    def found() -> str:
        places = [server.channel, *server.channel.threads]
        texts = [m.content for place in places for m in place.history()]
        return next((text for text in texts if words in text), "")

    return await until(found, what=words)


def newest(server: Server, message: discord.Message) -> discord.Message:
    """Return a message as it stands now."""
    return next(one for one in server.channel.history() if one.id == message.id)


async def shown(result: InteractionResult) -> discord.Message:
    await text_of(result)
    assert result.response is not None
    return result.response.message


async def test_an_offer_is_a_button_that_is_chosen_once(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        message = await notice(server, middle, PRESS)
        assert labels(message) == ["Press y"]
        pressed = await server.ann.click(message, label="Press y")
        assert await text_of(pressed) == "ann chose 👍: press y.\n\ny was pressed"
        assert server.channel.threads == []
        await until(lambda: labels(newest(server, message)) == [], what="no buttons")
        assert middle.toys.ran == ["press y"]


async def test_who_presses_what_was_chosen_meanwhile_is_told_so(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        message = await notice(server, middle, PRESS, CLAIM)
        told = list[Any]()
        server.env.backend.subscribers.append(lambda event, payload: told.append((event, payload)))
        await text_of(await server.ann.click(message, label="Press y"))
        # One who still sees the button, since their client was slow.
        (press,) = [payload for event, payload in told if event == "INTERACTION_CREATE"]
        again = server.env.backend.new_interaction(
            3, server.channel.id, server.ann.id, server.guild.id
        )
        server.env.backend.emit(
            "INTERACTION_CREATE", {**press, "id": str(again.id), "token": again.token}
        )
        await said_below(server, "chosen before")
        assert labels(newest(server, message)) == ["Claim it"]
        assert middle.toys.ran == ["press y"]


async def test_a_button_is_good_after_a_restart(server: Server) -> None:
    room, backlog = Room(), MemoryBacklog()
    async with TouchMiddle(server, room, backlog).at_work() as middle:
        message = await notice(server, middle, PRESS)
    async with TouchMiddle(server, room, backlog, "two").at_work() as middle:
        await server.ann.click(message, label="Press y")
        await said_below(server, "y was pressed")
        assert middle.toys.ran == ["press y"]


async def test_a_press_is_judged_and_its_refusal_is_for_who_pressed(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        message = await notice(server, middle, PRESS)
        for who in (server.eve, server.mo):
            refused = await who.click(message, label="Press y")
            assert "press is refused" in await text_of(refused)
            assert refused.ephemeral
        assert middle.toys.ran == []
        assert [row["action"] for row in middle.audit.rows] == ["press", "press"]


async def test_a_question_is_answered_by_who_was_asked_with_a_button(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        question = await shown(await server.ann.slash(server.channel, "wipe"))
        assert labels(question) == ["Go on", "Leave it"]
        refused = await server.eve.click(question, label="Go on")
        assert "refused" in await text_of(refused)
        assert middle.toys.ran == []
        assert "wiped" in await text_of(await server.ann.click(question, label="Go on"))
        assert middle.toys.ran == ["wipe"]


async def test_a_no_leaves_it(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        question = await shown(await server.ann.slash(server.channel, "wipe"))
        left = await server.ann.click(question, label="Leave it")
        assert "left alone: wipe" in await text_of(left)
        await until(lambda: labels(newest(server, question)) == [], what="no buttons")
        assert middle.toys.ran == []


async def test_a_yes_that_comes_too_late_does_nothing(server: Server) -> None:
    late = TouchMiddle(server, Room(), MemoryBacklog(), confirm=timedelta())
    async with late.at_work() as middle:
        question = await shown(await server.ann.slash(server.channel, "wipe"))
        late_yes = await server.ann.click(question, label="Go on")
        assert "the offer to go on has expired" in await text_of(late_yes)
        assert middle.toys.ran == []


async def test_a_card_is_claimed_and_completed_with_buttons(server: Server) -> None:
    room, backlog = Room(), MemoryBacklog()
    async with TouchMiddle(server, room, backlog).at_work():
        card = await shown(
            await server.ann.slash(server.channel, "backlog create", id="A1", title="paint")
        )
    async with TouchMiddle(server, room, backlog, "two").at_work():
        claimed = await server.ann.click(card, label="Claim it")
        assert "token" in await text_of(claimed)
        assert claimed.ephemeral
        assert labels(claimed) == ["Complete it", "Hold it back"]
        done = await server.ann.click(await shown(claimed), label="Complete it")
        assert await text_of(done) == "Card A1 is done."
        assert labels(done) == ["Put it away"]
        again = await server.ann.click(card, label="Claim it")
        assert await text_of(again) == "Card A1 is not claimable."


async def test_a_strangers_press_on_a_cards_button_does_nothing(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        card = await shown(
            await server.ann.slash(server.channel, "backlog create", id="A1", title="paint")
        )
        refused = await server.eve.click(card, label="Complete it")
        assert "backlog complete is refused" in await text_of(refused)
        assert refused.ephemeral
        assert middle.audit.rows[-1]["principal_id"] == f"discord:{server.eve.id}"


async def test_a_card_is_held_back_with_a_reason_from_a_form(server: Server) -> None:
    room, backlog = Room(), MemoryBacklog()
    async with TouchMiddle(server, room, backlog).at_work():
        card = await shown(
            await server.ann.slash(server.channel, "backlog create", id="A1", title="paint")
        )
        form = await server.ann.click(card, label="Hold it back")
        assert form.modal is not None
        assert form.modal["custom_id"] == "mosaic:form:backlog block --id A1"
    async with TouchMiddle(server, room, backlog, "two").at_work():
        sent = await server.ann.submit_modal(form, {"reason": 'no "red" paint'})
        assert await text_of(sent) == "Card A1 is blocked."
        found, _ = await backlog.show("A1")
        assert found.block_reason == 'no "red" paint'


async def test_a_form_that_is_never_sent_is_not_kept(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work():
        form = await server.ann.slash(server.channel, "form card")
        assert form.modal is not None
        gc.collect()
        assert not [one for one in gc.get_objects() if isinstance(one, discord.ui.Modal)]


async def test_a_card_is_written_in_a_form(server: Server) -> None:
    backlog = MemoryBacklog()
    async with TouchMiddle(server, Room(), backlog).at_work():
        form = await server.ann.slash(server.channel, "form card")
        assert form.modal is not None
        written = {"id": "A1", "title": "paint", "body": "two\nlines"}
        sent = await server.ann.submit_modal(form, written)
        assert await text_of(sent) == "The backlog has card A1: paint"
        found, _ = await backlog.show("A1")
        assert found.body == "two\nlines"


async def test_what_a_form_gets_wrong_is_named(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work():
        form = await server.ann.slash(server.channel, "form card")
        sent = await server.ann.submit_modal(form, {"id": "not an id", "title": "paint"})
        assert "--id: 'not an id' is not allowed" in await text_of(sent)


async def test_an_agents_dialog_is_answered_in_a_form_with_its_keys(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        offer = standing_offer("agent answer coder0", "press another key", "⌨", is_form=True)
        message = await notice(server, middle, offer)
        form = await server.ann.click(message, label="Press another key")
        assert form.modal is not None
        sent = await server.ann.submit_modal(form, {"key": ["enter"]})
        assert "coder0" in await text_of(sent)
        (row,) = middle.audit.rows
        assert (row["action"], row["allowed"]) == ("agent answer", True)


async def test_a_form_is_not_opened_for_who_may_not_send_it(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work():
        refused = await server.eve.slash(server.channel, "form card")
        assert refused.modal is None
        assert refused.ephemeral
        assert "has the role stranger" in await text_of(refused)


async def test_many_things_to_choose_are_a_select(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        offers = [standing_offer(f"echo {word}", f"say {word}") for word in "abcdef"]
        message = await notice(server, middle, *offers)
        assert labels(message) == [f"Say {word}" for word in "abcdef"]
        chosen = await server.ann.select(message, ["line:echo c"])
        assert await text_of(chosen) == "you said c"
        refused = await server.eve.select(message, ["line:echo d"])
        assert "echo is refused" in await text_of(refused)
        assert middle.toys.ran == ["c"]


async def test_a_button_whose_command_is_no_more_says_so(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        message = await notice(server, middle, standing_offer("formerly", "do it"))
        refused = await server.ann.click(message, label="Do it")
        assert "is no more" in await text_of(refused)


async def test_what_does_not_fit_into_a_button_is_left_out(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        long = standing_offer(f"echo {'x' * 100}", "say it")
        assert labels(await notice(server, middle, long, PRESS, PAUSE_OFFER)) == [
            "Press y",
            "Stop handing out work",
        ]


async def test_a_mark_that_is_no_emoji_stands_in_front_of_the_words(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        enter = Offer("⏎", "press enter", "press enter", HOUR)
        one = Offer("1\ufe0f\u20e3", "press 1", "press 1", HOUR)
        message = await notice(server, middle, enter, one)
        assert labels(message) == ["⏎ Press enter", "Press 1"]
        pressed = await server.ann.click(message, label="⏎ Press enter")
        assert "enter was pressed" in await text_of(pressed)


async def test_a_press_on_what_is_not_offered_any_more_says_so(server: Server) -> None:
    async with TouchMiddle(server, Room(), MemoryBacklog()).at_work() as middle:
        message = await notice(server, middle, PRESS)
        middle.room.offers.clear()
        refused = await server.ann.click(message, label="Press y")
        assert "not offered any more" in await text_of(refused)
        assert refused.ephemeral


async def test_private_words_and_their_answer_are_marked_as_private(server: Server) -> None:
    room = Room()
    async with TouchMiddle(server, room, MemoryBacklog()).at_work():
        await text_of(await server.ann.slash(server.channel, "backlog claim", owner="me"))
        await text_of(await server.ann.slash(server.channel, "echo", word="hello"))
    assert [event.inbound.is_private for event in room.events.values()] == [True, False]
    tags = {row.outbound.text: row.outbound.tag for row in room.rows}
    assert (tags["Nothing is claimable."], tags["you said hello"]) == ("private", "chat")
