"""Ann changes her mind: what she takes back or says anew in time is followed by the daemon, and by its next life."""

from tests.stages.room import PATIENCE, OpsRoom
from tests.waiting import until


async def edit(room: OpsRoom, event_id: str, text: str) -> str:
    return await room.ann.edit(room.room_id, event_id, text)


async def redact(room: OpsRoom, event_id: str) -> str:
    return await room.ann.redact(room.room_id, event_id)


async def test_commands_that_were_edited_or_redacted_while_the_daemon_was_down(
    room: OpsRoom,
) -> None:
    await room.ask("!backlog stats")
    await room.installation.kill()
    changed = await room.say("!backlog create --id C1 --title one")
    for title in ("two", "three"):
        await edit(room, changed, f"!backlog create --id C1 --title {title}")
    gone = await room.say("!backlog create --id C2 --title never")
    await redact(room, gone)
    last = await room.say("!backlog create --id C3 --title last")
    await room.installation.up()
    await room.answer(last)
    await room.marked(last, "✅")
    cards = (await room.installation.mosaic("backlog", "list", "--json")).data
    assert {card["id"]: card["title"] for card in cards} == {"C1": "three", "C3": "last"}
    assert len(room.answers(changed)) == 1
    assert room.answers(gone) == []
    assert room.marks(gone) == []
    assert room.notices("recovered") == ["recovered 2, lost 0"]
    assert room.notices("edit") == []


async def test_an_edit_that_comes_too_late_is_not_run_and_said(room: OpsRoom) -> None:
    first = await room.say("!backlog create --id D1 --title one")
    await room.marked(first, "✅")
    late = await edit(room, first, "!backlog create --id D2 --title two")
    assert "edit" in (await room.answer(late))["body"]
    cards = (await room.installation.mosaic("backlog", "list", "--json")).data
    assert {"D1"} <= {card["id"] for card in cards}
    assert "D2" not in {card["id"] for card in cards}
    redaction = await redact(room, first)
    assert await room.handled(redaction) == "ignored"


async def test_mail_that_waits_for_its_agent_follows_its_author(room: OpsRoom) -> None:
    await room.installation.type("orchestrator", "/slow 3")
    busy = await room.say("keep busy")
    await room.marked(busy, "📬")
    changed, gone = await room.say("helo"), await room.say("forget this")
    for event_id in (changed, gone):
        assert await room.handled(event_id) == "done"
    assert await room.handled(await edit(room, changed, "hello")) == "done"
    assert await room.handled(await redact(room, gone)) == "done"
    last = await room.say("the last")
    assert (await room.answer(last))["body"] == "dogfood orchestrator: the last"
    assert (await room.answer(changed))["body"] == "dogfood orchestrator: hello"
    assert room.answers(gone) == []
    pane = await until(lambda: room.installation.screen("orchestrator"), PATIENCE)
    assert "forget this" not in pane
    assert "helo\n" not in pane
    assert room.installation.bugs() == []
