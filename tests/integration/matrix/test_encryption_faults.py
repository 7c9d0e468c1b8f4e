"""Crashes, lost folders, and what others may throw at an encrypting bot."""

import asyncio
import json
import shutil
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any

import pytest

from bot.errors import SetupError, TransientError, UserError
from bot.model import InboundBatch
from connectors.matrix.keys import Keys
from tests.stages.encrypted import meet_in_private
from tests.stages.matrix import Bot, Ear, message
from tests.stages.synapse import Person, Town
from tests.waiting import until


async def _holder(bot: Bot, vault: Keys, position: str | None) -> asyncio.subprocess.Process:
    """Start a bot as a process that takes in keys and never stores a position."""
    about = {
        "url": bot.town.url,
        "user_id": bot.user_id,
        "room_id": bot.room_id,
        "token": bot.account.token,
        "folder": str(vault.folder),
        "secret": vault.pickle_key,
        "position": position,
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.stages.keyholder", json.dumps(about), stdout=PIPE
    )


async def test_a_kill_between_taking_a_key_in_and_storing_the_position_loses_nothing(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with ann.listening():
        async with bot.listening(ear, keys=vault):
            await ann.say(bot.room_id, "before")
            await until(lambda: ear.texts == ["before"], what="the first words")
        ann.client.invalidate_outbound_session(bot.room_id)
        process = await _holder(bot, vault, ear.position)
        assert process.stdout is not None
        said = asyncio.create_task(ann.say(bot.room_id, "in its last moment"))
        while await asyncio.wait_for(process.stdout.readline(), 20) != b"holding\n":
            pass
        second = bot.connector(keys=vault)
        with pytest.raises(SetupError, match=f"in use by the process {process.pid}"):
            await second.subscribe(ear.accept, ear.position)
        await second.close()
        process.kill()
        await process.wait()
        await said
        async with bot.listening(ear, keys=vault):
            await until(lambda: len(ear.texts) == 2, what="the words of the last moment")
            await ann.say(bot.room_id, "after")
            await until(lambda: len(ear.texts) == 3, what="words after it")
    assert ear.texts == ["before", "in its last moment", "after"]


async def test_words_read_late_that_could_not_be_stored_are_read_again(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with ann.listening():
        async with bot.listening(ear, keys=vault):
            sealed = await ann.sealed_without_key(bot, "too early")
            await matrix_town.client(ann.account).send(bot.room_id, sealed, "m.room.encrypted")
            await ann.say(bot.room_id, "the next")
            await until(lambda: ear.texts == ["the next"], what="the words after it")
        await ann.hand_over_key(bot)

        async def broken(_batch: InboundBatch) -> None:
            raise TransientError("the journal is away")

        connector = bot.connector(keys=vault)
        with pytest.raises(TransientError, match="journal"):
            await connector.subscribe(broken, ear.position)
        await connector.close()
        async with bot.listening(ear, keys=vault):
            await until(lambda: "too early" in ear.texts, what="the late words")
            await ann.say(bot.room_id, "the end")
            await until(lambda: "the end" in ear.texts, what="the end")
    assert ear.texts == ["the next", "too early", "the end"]


async def _refused(bot: Bot, vault: Keys, ear: Ear) -> str:
    """Return why a bot with these keys is in safe mode, after it was seen to say nothing in its room."""
    said = len(await bot.wire())
    async with bot.listening(ear, keys=vault) as connector:
        health = await connector.health()
        assert health.safe_mode
        with pytest.raises(UserError, match="nothing is said there in clear text") as error:
            await connector.send(message(bot.room_id, "all is well"))
        assert error.value.code == "encrypted_room"
    assert len(await bot.wire()) == said
    return health.detail


async def test_a_lost_folder_does_not_put_other_keys_in_the_place_of_those_that_others_know(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with ann.listening():
        async with bot.listening(ear, keys=vault) as connector:
            await connector.send(message(bot.room_id, "before"))
            await ann.hears("before")
        vault.folder.rename(tmp_path / "lost")
        assert "folder was lost or is an older one" in await _refused(bot, vault, ear)
        assert any("I say nothing in encrypted rooms" in one for one in bot.reports)
        clear = await matrix_town.room(bot.account, ann.account)
        async with bot.listening(ear, keys=vault) as connector:
            await connector.send(message(clear, "a clear room is another matter"))
            await matrix_town.client(ann.account).say(clear, "so I can command")
            await until(lambda: "so I can command" in ear.texts, what="words in clear")
        shutil.rmtree(vault.folder)
        (tmp_path / "lost").rename(vault.folder)
        async with bot.listening(ear, keys=vault) as connector:
            assert not (await connector.health()).safe_mode
            await connector.send(message(bot.room_id, "found again"))
            await ann.hears("found again")


async def test_words_in_clear_text_in_an_encrypted_room_are_not_believed_and_that_is_said_once(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path, encrypted=False)
    ear, forger = Ear(), matrix_town.client(ann.account)
    async with ann.listening():
        async with bot.listening(ear, keys=vault):
            pass
        await forger.say(bot.room_id, "while it was a clear room")
        await ann.encrypt(bot.room_id)
        forged = await forger.say(bot.room_id, "!fleet stop")
        await forger.say(bot.room_id, "!fleet stop again")
        async with bot.listening(ear, keys=vault):
            await until(lambda: ear.unreadable, what="the refusal")
            await forger.say(bot.room_id, "!fleet stop once more")
            await until(lambda: ann.client.rooms[bot.room_id].encrypted)
            mark = await ann.react(bot.room_id, forged, "👍")
            await ann.say(bot.room_id, "!status")
            await until(lambda: "!status" in ear.texts, what="what was encrypted")
    assert ear.texts == ["while it was a clear room", "👍", "!status"]
    assert ear.events[1].event_id == mark, "clients never encrypt a reaction"
    assert [one.event_id for one in ear.unreadable] == [forged]


async def test_old_words_that_are_shown_as_new_ones_after_a_restart_are_not_run_again(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear, homeserver = Ear(), matrix_town.client(ann.account)
    async with ann.listening():
        async with bot.listening(ear, keys=vault):
            await ann.say(bot.room_id, "!fleet stop")
            await until(lambda: ear.texts, what="the command")
        [original] = [
            event
            for event in await homeserver.events(bot.room_id, ann.user_id)
            if event["type"] == "m.room.encrypted"
        ]
        async with bot.listening(ear, keys=vault):
            await homeserver.send(bot.room_id, original["content"], "m.room.encrypted")
            await until(lambda: ear.unreadable, what="the refusal")
    assert ear.texts == ["!fleet stop"]
    assert "repeats another message" in ear.unreadable[0].why


async def test_words_whose_key_never_comes_are_told_once_also_after_a_restart(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear, raw = Ear(), matrix_town.client(ann.account)
    async with ann.listening():
        async with bot.listening(ear, keys=vault):
            pass
        sealed = await ann.sealed_without_key(bot, "lost")
        first = await raw.send(bot.room_id, sealed, "m.room.encrypted")
        for number in range(2):
            async with bot.listening(ear, keys=vault) as connector:
                await ann.say(bot.room_id, f"{number}")
                await until(lambda: f"{number}" in ear.texts, what="other words")  # noqa: B023
                if number == 0:
                    assert "1 encrypted messages wait" in (await connector.health()).detail
                    await until(
                        lambda: bot.is_overdue(connector, vault), what="their patience to end"
                    )
                await ann.say(bot.room_id, "and now")
                await until(lambda: "and now" in ear.texts, what="the end")
        await until(lambda: ann.asked_for_keys, what="the key to be asked for")
    assert ann.asked_for_keys == 1
    [told] = ear.unreadable
    assert (told.event_id, told.why) == (first, "its key has not come")
    assert told.source == ear.events[0].source


async def test_our_own_words_and_old_ones_are_no_unread_messages(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with ann.listening():
        async with bot.listening(Ear()) as deaf:
            await deaf.health()
        async with bot.listening(ear):
            await ann.say(bot.room_id, "before it had keys")
            await ann.react(bot.room_id, await ann.say(bot.room_id, "again"), "👍")
        async with bot.listening(ear, keys=vault) as connector:
            await connector.send(message(bot.room_id, "our own words"))
            await ann.hears("our own words")
            await ann.say(bot.room_id, "the end")
            await until(lambda: "the end" in ear.texts, what="the end")
            assert "wait for their keys" not in (await connector.health()).detail
    assert ear.texts == ["👍", "the end"]
    assert ear.unreadable == []


async def test_when_all_one_time_keys_are_used_up_new_devices_are_still_heard(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    ear = Ear()
    async with bot.listening(ear, keys=vault):
        await until(bot.has_spare_key, what="the fallback key to be shown")
    claim = {bot.user_id: {bot.account.device_id: "signed_curve25519"}}
    for _ in range(60):
        await _ask(matrix_town.client(ann.account), "POST", "keys/claim", {"one_time_keys": claim})
    async with ann.listening():
        await ann.say(bot.room_id, "one of many")
        async with bot.listening(ear, keys=vault):
            await until(lambda: ear.texts, what="her words")
    assert ear.texts == ["one of many"]


async def test_what_others_throw_at_it_costs_nobody_else_anything(
    matrix_town: Town, tmp_path: Path
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    eve = await matrix_town.person("eve")
    den = await matrix_town.room(bot.account, eve.account)  # her device would end nio's own clients
    await matrix_town.client(bot.account).encrypt(den)
    ear = Ear()
    async with ann.listening(), bot.listening(ear, keys=vault) as connector:
        await _show_spoilt_device(eve)
        curve = connector._cipher.tools.machine.olm.account.identity_keys["curve25519"]  # type: ignore[union-attr]
        for content in _odd_words(curve):
            await _to_device(eve, bot, "m.room.encrypted", content)
        await _to_device(eve, bot, "m.room_key_request", {"action": "request", "body": 7})
        await _to_device(eve, bot, "m.key.verification.start", {"method": ["x"]})
        for odd in _odd_events():
            await eve.send(den, odd, "m.room.encrypted")
        await connector.send(message(den, "I see"))
        await ann.say(bot.room_id, "still there?")
        await until(lambda: ear.texts, what="words after all that")
        await connector.send(message(bot.room_id, "still here"))
        await ann.hears("still here")
    assert ear.texts == ["still there?"]


def _odd_words(curve: str) -> list[dict[str, Any]]:
    olm = {"algorithm": "m.olm.v1.curve25519-aes-sha2"}
    return [
        {**olm, "sender_key": "x", "ciphertext": {curve: {"type": kind, "body": "garbage"}}}
        for kind in (0, 1, 2)
    ] + [{**olm, "sender_key": "x", "ciphertext": {}}, {"algorithm": 7}, {"x": 1}]


def _odd_events() -> list[dict[str, Any]]:
    megolm = {"algorithm": "m.megolm.v1.aes-sha2"}
    return [
        {**megolm, "ciphertext": "garbage", "session_id": "none", "device_id": 1, "sender_key": []},
        {**megolm, "ciphertext": {}, "session_id": 5},
        {"algorithm": "unknown", "ciphertext": ""},
        {"algorithm": None},
    ]


async def _show_spoilt_device(person: Person) -> None:
    device = person.account.device_id
    keys = {f"{name}:{device}": "garbage" for name in ("ed25519", "curve25519")}
    body = {
        "device_keys": {
            "user_id": person.user_id,
            "device_id": device,
            "algorithms": ["m.olm.v1.curve25519-aes-sha2", "m.megolm.v1.aes-sha2"],
            "keys": keys,
            "signatures": {person.user_id: {f"ed25519:{device}": "garbage"}},
        }
    }
    await _ask(person, "POST", "keys/upload", body)


async def _to_device(person: Person, bot: Bot, kind: str, content: dict[str, Any]) -> None:
    body = {"messages": {bot.user_id: {bot.account.device_id: content}}}
    await _ask(person, "PUT", f"sendToDevice/{kind}/{id(content)}", body)


async def _ask(person: Person, method: str, path: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {person.account.token}"}
    url = f"/_matrix/client/v3/{path}"
    answer = await person.client.send(method, url, json.dumps(body), headers)
    assert answer.status == 200, await answer.text()
