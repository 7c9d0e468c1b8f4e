"""The accounts of a local homeserver: a person, the bot, and a room for both.

Source: Synapse's admin API, "Shared-Secret Registration"; Matrix client-server API, "createRoom".
"""

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.errors import MosaicError, SetupError, TransientError
from connectors.matrix.events import ENCRYPTION, MEGOLM
from connectors.matrix.failures import read_refusal, translate

_ADMIN = "/_synapse/admin/v1/register"
_CLIENT = "/_matrix/client/v3"


@dataclass(frozen=True, slots=True)
class LocalAccounts:
    """What is needed to use a local homeserver; three of its fields are secrets."""

    homeserver_url: str
    bot_user_id: str
    bot_token: str
    bot_device_id: str
    person_user_id: str
    person_password: str
    room_id: str
    bot_pickle_key: str

    def __repr__(self) -> str:
        return f"LocalAccounts({self.homeserver_url!r}, {self.room_id!r})"


@dataclass(frozen=True, slots=True)
class Account:
    """One account with the device that its registration made."""

    user_id: str
    token: str
    device_id: str
    password: str

    def __repr__(self) -> str:
        return f"Account({self.user_id!r}, {self.device_id!r})"


class Registrar:
    """Makes accounts and rooms on a server whose registration secret we know."""

    def __init__(self, http: aiohttp.ClientSession, url: str, secret: str) -> None:
        self._http = http
        self._url = url
        self._secret = secret

    async def register(self, name: str, password: str | None = None) -> Account:
        """Make an account; without a password it gets a random one. SetupError when the name is taken."""
        password = password or secrets.token_urlsafe(12)
        nonce = (await self._ask("GET", _ADMIN))["nonce"]
        parts = "\0".join((nonce, name, password, "notadmin"))
        mac = hmac.new(self._secret.encode(), parts.encode(), hashlib.sha1).hexdigest()
        body = {
            "nonce": nonce,
            "username": name,
            "password": password,
            "admin": False,
            "mac": mac,
            "displayname": name,
        }
        told = await self._ask("POST", _ADMIN, body=body)
        return Account(told["user_id"], told["access_token"], told["device_id"], password)

    async def make_room(
        self, owner: Account, guests: tuple[Account, ...], name: str, *, encrypted: bool = False
    ) -> str:
        """Make a private room in which all are joined with the owner's powers."""
        rules = {"type": ENCRYPTION, "state_key": "", "content": {"algorithm": MEGOLM}}
        body = {
            "preset": "trusted_private_chat",
            "name": name,
            "invite": [guest.user_id for guest in guests],
            "initial_state": [rules] if encrypted else [],
        }
        room_id: str = (await self._ask("POST", f"{_CLIENT}/createRoom", owner, body))["room_id"]
        for guest in guests:
            await self._ask("POST", f"{_CLIENT}/join/{room_id}", guest, {})
        return room_id

    async def _ask(
        self,
        method: str,
        path: str,
        account: Account | None = None,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {account.token}"} if account else {}
        try:
            async with self._http.request(
                method, self._url + path, json=body, headers=headers
            ) as answer:
                told = await answer.json(content_type=None)
                if answer.status == 200 and isinstance(told, dict):
                    return told
                refusal = read_refusal(answer.status, answer.headers, told)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TransientError(f"the homeserver {self._url} is away: {error}") from error
        raise translate(refusal, f"{method} {path}")


async def make_accounts(http: aiohttp.ClientSession, url: str, secret: str) -> LocalAccounts:
    """Make the person ``operator``, the bot ``mosaic`` and their encrypted room; SetupError when they exist."""
    registrar = Registrar(http, url, secret)
    try:
        person = await registrar.register("operator")
        bot = await registrar.register("mosaic")
        room_id = await registrar.make_room(bot, (person,), "Mosaic Fleet", encrypted=True)
    except TransientError:
        raise
    except MosaicError as error:
        raise SetupError(
            f"the local homeserver's accounts cannot be made: {error.message}",
            hint="remove the homeserver's directory to begin anew",
        ) from error
    return LocalAccounts(
        url,
        bot.user_id,
        bot.token,
        bot.device_id,
        person.user_id,
        person.password,
        room_id,
        new_pickle_key(),
    )


def new_pickle_key() -> str:
    """Return a secret by which a device's keys are encrypted at rest."""
    return secrets.token_urlsafe(32)


def load_accounts(path: Path) -> LocalAccounts | None:
    """Return what ``save_accounts`` wrote, None when there is no such file; SetupError when it is spoilt."""
    try:
        told = json.loads(path.read_text())
        told.setdefault("bot_pickle_key", "")  # a home from before rooms could be encrypted
        return LocalAccounts(**told)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise SetupError(
            f"{path} is not what we wrote there", hint="restore it or remove it"
        ) from error


def save_accounts(path: Path, accounts: LocalAccounts) -> None:
    """Write the accounts, mode 0600, by rename."""
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(accounts), file, indent=2)
    draft.replace(path)
