"""The room of the roster is replaced by another: its role moves along, is told in both, and survives restarts."""

from tests.stages.room import PATIENCE, OpsRoom, answered
from tests.waiting import until


async def ask_in(room: OpsRoom, room_id: str, text: str) -> str:
    """Let Ann ask in a room, and return the one answer to it there."""
    asked = await room.ann.say(room_id, text)

    def answers() -> list[str]:
        said = room.watch.seen(room_id, room.bot.user_id)
        return [str(e["content"]["body"]) for e in said if answered(e) == asked]

    await until(answers, PATIENCE, f"an answer in {room_id}")
    (answer,) = answers()
    return answer


async def test_the_role_of_a_replaced_room_moves_along(room: OpsRoom) -> None:
    old = room.room_id
    asked = await room.say("!backlog create --id C1 --title here")
    await room.answer(asked)
    new = await room.ann.upgrade(old, room.bot.user_id)

    def told() -> list[str]:
        said = room.watch.seen(new, room.bot.user_id)
        return [body for e in said if "took over" in (body := str(e["content"].get("body", "")))]

    await until(told, PATIENCE, "the word in the new room")
    assert "C1" in await ask_in(room, new, "!backlog list")
    assert await ask_in(room, new, "are you there?") == "dogfood orchestrator: are you there?"

    async def seen_in_status() -> bool:
        parts = (await room.installation.status())["parts"]
        return f"{old} was replaced by {new}" in parts["connector.matrix"]["detail"]

    await until(seen_in_status, PATIENCE, "the move in the status")

    await room.installation.down()
    missed = await room.ann.say(new, "!backlog stats")
    await room.installation.up()
    await room.handled(missed)
    assert "C1" in await ask_in(room, new, "!backlog show C1")
    said = [str(e["content"].get("body", "")) for e in room.watch.seen(new, room.bot.user_id)]
    assert [body for body in said if "recovered" in body] == ["recovered 1, lost 0"]
    assert len(told()) == 1
    assert room.installation.bugs() == []
