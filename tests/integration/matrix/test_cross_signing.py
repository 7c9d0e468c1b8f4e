"""The bot's device signed by its account, on a real Synapse."""

from pathlib import Path
from typing import Any

import aiohttp
import vodozemac
from nio import Api

from connectors.matrix.crypto.identity import new_identity
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
