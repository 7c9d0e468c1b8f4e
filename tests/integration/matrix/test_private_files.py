"""Files in encrypted rooms on a real Synapse, with a person whose client encrypts."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

from bot.enclosure import Enclosure
from bot.model import MessageKind
from tests.stages.encrypted import meet_in_private
from tests.stages.matrix import Ear, message
from tests.stages.synapse import Town
from tests.waiting import until

CONTENT = os.urandom(100_000)


async def _pieces() -> AsyncIterator[bytes]:
    yield CONTENT


async def test_files_go_both_ways_in_an_encrypted_room_and_nothing_of_them_shows_on_the_wire(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    await bot.contents.keep("made", _pieces())
    file = Enclosure("payroll.bin", "application/x-payroll", len(CONTENT), "made")
    async with ann.listening(), bot.listening(ear, keys=vault) as connector:
        await until(lambda: ann.client.rooms[bot.room_id].users.get(bot.user_id))
        await ann.send_file(
            bot.room_id, "salaries.txt", CONTENT, "text/x-salaries", caption="for you", sealed=True
        )
        await until(lambda: ear.texts == ["for you"], what="the file's event")
        (attachment,) = ear.events[0].attachments
        assert (attachment.name, attachment.media_type) == ("salaries.txt", "text/x-salaries")
        assert b"".join([piece async for piece in connector.fetch(attachment)]) == CONTENT
        said = message(bot.room_id, "as asked", MessageKind.ANSWER, files=(file,))
        first = await connector.send(said)
        assert (await connector.send(said)).platform_id == first.platform_id
        content = await ann.hears("as asked", bot.user_id)
        assert content["filename"] == "payroll.bin"
        assert "url" not in content
        assert await ann.open_file(content) == CONTENT
    wire = await bot.town.client(bot.account).events(bot.room_id)
    sent = [event for event in wire if "state_key" not in event]
    assert [event["type"] for event in sent] == ["m.room.encrypted"] * 2
    shown = json.dumps(sent)
    assert not [word for word in ("salaries", "payroll", "mxc:", "asked") if word in shown]
