"""The bot's device signed by its account, on a real Synapse."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import vodozemac
from nio import Api

from connectors.matrix.crypto.identity import new_identity
from tests.stages.bad_line import BadLine
from tests.stages.encrypted import meet_in_private
from tests.stages.matrix import Bot, Ear
from tests.stages.synapse import Town
from tests.waiting import until


async def ask(bot: Bot, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Ask the homeserver as the bot's account."""
    headers = {"Authorization": f"Bearer {bot.account.token}"}
    url = f"{bot.town.url}/_matrix/client/v3{path}"
    async with aiohttp.ClientSession(headers=headers) as http, http.post(url, json=body) as answer:
        return answer.status, await answer.json()


async def shown(bot: Bot) -> dict[str, Any]:
    """Return the keys of the bot's account as others see them."""
    status, told = await ask(bot, "/keys/query", {"device_keys": {bot.user_id: []}})
    assert status == 200
    return told


def signers(told: dict[str, Any], bot: Bot) -> set[str]:
    """Return which keys signed the bot's device, each signature checked."""
    device = told["device_keys"][bot.user_id][bot.account.device_id]
    known = {f"ed25519:{bot.account.device_id}": device["keys"][f"ed25519:{bot.account.device_id}"]}
    known |= told.get("self_signing_keys", {}).get(bot.user_id, {}).get("keys", {})
    bare = {name: device[name] for name in device if name not in {"signatures", "unsigned"}}
    for name, signature in device["signatures"][bot.user_id].items():
        vodozemac.Ed25519PublicKey.from_base64(known[name]).verify_signature(
            Api.to_canonical_json(bare).encode(), vodozemac.Ed25519Signature.from_base64(signature)
        )
    return set(device["signatures"][bot.user_id])


async def test_the_device_is_signed_at_its_first_start_and_left_alone_at_the_next(
    matrix_town: Town, tmp_path: Path
) -> None:
    _, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with bot.listening(Ear(), keys=vault) as connector:
        assert (await connector.health()).detail == ""
        first = await shown(bot)
    (own,) = first["self_signing_keys"][bot.user_id]["keys"]
    assert signers(first, bot) == {f"ed25519:{bot.account.device_id}", own}
    master = first["master_keys"][bot.user_id]
    assert f"ed25519:{bot.account.device_id}" in master["signatures"][bot.user_id]
    async with bot.listening(Ear(), keys=vault):
        assert await shown(bot) == first


async def test_keys_of_another_client_are_left_as_they_are_and_it_is_said_what_to_do(
    matrix_town: Town, tmp_path: Path
) -> None:
    _, bot, vault = await meet_in_private(matrix_town, tmp_path)
    other = new_identity(bot.user_id)
    status, told = await ask(bot, "/keys/device_signing/upload", other.public_keys())
    assert status == 200, told
    async with bot.listening(Ear(), keys=vault) as connector:
        assert "keys that another client made" in (await connector.health()).detail
        await until(lambda: any("verify the device" in one for one in bot.reports))
        found = await shown(bot)
    assert set(found["master_keys"][bot.user_id]["keys"].values()) == {other.master.public}
    assert signers(found, bot) == {f"ed25519:{bot.account.device_id}"}


@pytest.fixture
async def line(matrix_town: Town) -> AsyncIterator[BadLine]:
    bad = BadLine(matrix_town.url)
    await bad.open()
    yield bad
    await bad.close()


async def test_a_homeserver_that_asks_for_a_password_is_told_and_the_bot_goes_on_unsigned(
    matrix_town: Town, tmp_path: Path, line: BadLine
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    asks = {"flows": [{"stages": ["m.login.password"]}], "params": {}, "session": "x"}
    line.says = lambda path: (401, asks) if path.endswith("/device_signing/upload") else None
    bot.url = line.url
    ear = Ear()
    async with ann.listening(), bot.listening(ear, keys=vault) as connector:
        health = await connector.health()
        assert health.authenticated, "the token is still good"
        assert "wants the account's password" in health.detail
        await until(lambda: any("set up cross-signing" in one for one in bot.reports))
        await ann.say(bot.room_id, "hello")
        await until(lambda: ear.texts == ["hello"], what="her words")
    assert bot.user_id not in (await shown(bot)).get("master_keys", {})


async def test_a_homeserver_that_cannot_sign_now_keeps_nobody_from_talking(
    matrix_town: Town, tmp_path: Path, line: BadLine
) -> None:
    ann, bot, vault = await meet_in_private(matrix_town, tmp_path)
    line.fails = lambda path: path.endswith("/keys/signatures/upload")
    bot.url, ear = line.url, Ear()
    async with ann.listening(), bot.listening(ear, keys=vault) as connector:
        assert "is not signed yet" in (await connector.health()).detail
        await ann.say(bot.room_id, "hello")
        await until(lambda: ear.texts == ["hello"], what="her words")
    line.fails = lambda _path: False
    async with bot.listening(ear, keys=vault) as connector:
        assert (await connector.health()).detail == ""
    told = await shown(bot)
    assert len(signers(told, bot)) == 2, "with the keys that were uploaded in the first life"


async def test_a_file_that_is_not_ours_to_read_leaves_the_device_unsigned(
    matrix_town: Town, tmp_path: Path
) -> None:
    _, bot, vault = await meet_in_private(matrix_town, tmp_path)
    vault.folder.mkdir()
    (vault.folder / "identity.json").write_text("{}")
    async with bot.listening(Ear(), keys=vault) as connector:
        assert "is not what was written there" in (await connector.health()).detail


async def test_a_lost_folder_does_not_replace_the_identity(
    matrix_town: Town, tmp_path: Path
) -> None:
    _, bot, vault = await meet_in_private(matrix_town, tmp_path)
    async with bot.listening(Ear(), keys=vault):
        first = await shown(bot)
    (vault.folder / "identity.json").unlink()
    async with bot.listening(Ear(), keys=vault) as connector:
        assert (await connector.health()).detail == "", "the device was signed before, and stays so"
        assert await shown(bot) == first
