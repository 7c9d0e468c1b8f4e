"""People on a Discord server talk with a running fleet: the daemon is a process, Discord a stand-in on a socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stages.workshop import Workshop, workshop
from tests.waiting import until


@pytest.fixture(scope="module")
async def shop(home: Path) -> AsyncIterator[Workshop]:
    async with workshop(home) as found:
        await found.installation.up()
        await found.part("ok")
        yield found


async def test_a_command_is_answered_once_as_a_reply_to_it_that_calls_who_asked(
    shop: Workshop,
) -> None:
    asked = shop.say("!backlog create --id A1 --title schema")
    answer = await shop.answer(asked)
    await shop.marked(asked, "✅")
    assert "A1" in answer["content"]
    assert shop.world.pinged[answer["id"]] == [shop.ann.id]
    assert len(shop.answers(asked)) == 1
    assert "A1" in await shop.ask("!backlog list")


async def test_a_command_in_a_thread_is_answered_there(shop: Workshop) -> None:
    root = shop.say("!backlog stats")
    await shop.answer(root)
    asked = shop.say("!backlog list --limit 1", thread=root)
    assert "A1" in (await shop.answer(asked, root))["content"]


async def test_free_text_is_answered_by_the_agent_in_a_thread_of_its_own(shop: Workshop) -> None:
    asked = shop.say("say moin\nand more")
    said = await shop.spoken("moin", asked)
    thread = shop.world.channels[asked]
    assert (thread.parent_id, thread.name) == (shop.channel.id, "say moin")
    await shop.marked(asked, "✅")
    again = shop.say("say again", thread=asked)
    await shop.spoken("again", asked)
    await shop.marked(again, "✅")
    assert said["channel_id"] == asked


async def test_a_stranger_is_refused_and_runs_nothing(shop: Workshop) -> None:
    asked = shop.say("!backlog create --id E1 --title mine", by=shop.eve)
    assert "stranger-denied" in (await shop.answer(asked))["content"]
    await shop.marked(asked, "❌")
    assert "E1" not in await shop.ask("!backlog list")
    assert "A1" in await shop.ask("!backlog list", by=shop.max)


async def test_nobody_is_called_by_what_people_or_cards_say(shop: Workshop) -> None:
    asked = shop.say(f"!backlog create --id P1 --title '@everyone <@{shop.max.id}>'")
    answer = await shop.answer(asked)
    assert shop.world.pinged[answer["id"]] == [shop.ann.id]
    assert f"<@{shop.max.id}>" not in answer["content"].replace("\\<", "")


async def test_an_edited_command_is_not_run_again(shop: Workshop) -> None:
    asked = shop.say("!backlog create --id D1 --title first")
    await shop.answer(asked)
    shop.world.edit(
        shop.ann, shop.channel.id, asked, {"content": "!backlog create --id D2 --title x"}
    )
    await shop.spoken("An edit is not run any more")
    assert "D2" not in await shop.ask("!backlog list")


async def test_a_confirmation_is_given_by_a_mark_too(shop: Workshop) -> None:
    asked = shop.say("!fleet stop enhancer")
    question = await shop.answer(asked)
    (buttons,) = question["components"]
    assert [one["label"] for one in buttons["components"]] == ["Go on", "Leave it"]
    shop.world.mark(shop.ann, shop.channel.id, question["id"], {"id": None, "name": "✅"})
    await shop.spoken("ann chose ✅", question["id"])
    assert shop.world.channels[question["id"]].parent_id == shop.channel.id


async def test_a_file_goes_to_the_agent(shop: Workshop) -> None:
    file = {"filename": "a plan.txt", "content": b"build it", "content_type": "text/plain"}
    asked = str(shop.stand_in.speak(shop.ann, shop.channel.id, "look", files=[file])["id"])
    await until(lambda: shop.marks(asked), 30, "the file to be taken")
    await until(lambda: list(shop.installation.home.rglob("a*plan*.txt")), 30, "the file to arrive")


async def test_what_is_said_while_the_daemon_is_dead_is_answered_once_afterwards(
    shop: Workshop,
) -> None:
    root = shop.say("!backlog stats")
    await shop.answer(root)
    shop.say("!backlog list --limit 1", thread=root)
    await until(lambda: len(shop.said(root)) == 1, 30, "an answer in the thread")
    await shop.installation.kill()
    missed = shop.say("!backlog create --id M1 --title missed")
    in_thread = shop.say("!backlog list --limit 1", thread=root)
    await shop.installation.up()
    await shop.answer(missed)
    await shop.answer(in_thread, root)
    await shop.spoken("recovered 2, lost 0")
    await shop.marked(missed, "✅")
    assert len(shop.answers(missed)) == 1
    assert len(shop.said(root)) == 2
    assert shop.installation.bugs() == []


async def test_the_token_is_written_nowhere(shop: Workshop) -> None:
    token = shop.bot.token.encode()
    home = shop.installation.home
    found = [
        path
        for path in home.rglob("*")
        if path.is_file() and "postgres" not in path.parts and token in path.read_bytes()
    ]
    assert found == []
