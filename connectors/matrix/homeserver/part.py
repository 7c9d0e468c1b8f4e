"""The local homeserver as a part of the daemon: a Synapse that is kept running, with accounts to try it."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import structlog

from bot.clock.backoff import Backoff
from bot.errors import SetupError
from connectors.matrix.homeserver.accounts import (
    LocalAccounts,
    load_accounts,
    make_accounts,
    new_pickle_key,
    save_accounts,
)
from connectors.matrix.homeserver.synapse import Synapse

DEFAULT_PORT = 8008
ACCOUNTS_FILE = "accounts.json"
_RESTART = Backoff(timedelta(milliseconds=200), timedelta(seconds=30))
_STEADY_SECONDS = 60.0


class LocalHomeserver:
    """Runs Synapse on loopback below ``directory`` (implements Part); restarts it when it dies.

    Its first run makes a person, the bot and their room; later runs give the same ones.
    """

    name = "homeserver"

    def __init__(self, directory: Path, port: int = DEFAULT_PORT) -> None:
        self._file = directory / ACCOUNTS_FILE
        self._synapse = Synapse(directory, port)
        self._accounts: asyncio.Future[LocalAccounts] | None = None
        self._known: LocalAccounts | None = None
        self._log = structlog.get_logger(part=self.name)

    async def accounts(self) -> LocalAccounts:
        """Return the accounts as soon as the server has answered for the first time."""
        return await asyncio.shield(self._promise())

    @property
    def known(self) -> LocalAccounts | None:
        """The accounts, also before the server answers; None before the first run, or while unreadable."""
        if self._known is None:
            with contextlib.suppress(SetupError):  # ``run`` says what is wrong with the file
                self._known = load_accounts(self._file)
        return self._known

    async def run(self, ready: Callable[[str], None]) -> None:
        """Keep the server running until cancelled; SetupError when it is not installed or cannot start."""
        deaths = 0
        if load_accounts(self._file) is None:
            self._synapse.set_aside()  # a first run that was cut short left accounts nobody can use
        try:
            while True:
                await self._synapse.start()
                accounts = await self._provide()
                ready(f"{accounts.homeserver_url}, log in as {accounts.person_user_id}")
                began = time.monotonic()
                status = await self._synapse.wait()
                deaths = 1 if time.monotonic() - began > _STEADY_SECONDS else deaths + 1
                self._log.warning("homeserver died", status=status, deaths=deaths)
                await asyncio.sleep(_RESTART.wait(deaths).total_seconds())
        finally:
            await self._synapse.stop()

    async def _provide(self) -> LocalAccounts:
        accounts = load_accounts(self._file)
        if accounts is None:
            async with aiohttp.ClientSession() as http:
                accounts = await make_accounts(
                    http, self._synapse.url, self._synapse.registration_secret
                )
            save_accounts(self._file, accounts)
        elif not accounts.bot_pickle_key:
            accounts = replace(accounts, bot_pickle_key=new_pickle_key())
            save_accounts(self._file, accounts)
            self._known = accounts
        promise = self._promise()
        if not promise.done():
            promise.set_result(accounts)
        return accounts

    def _promise(self) -> asyncio.Future[LocalAccounts]:
        if self._accounts is None:
            self._accounts = asyncio.get_running_loop().create_future()
        return self._accounts


def login_lines(accounts: LocalAccounts) -> tuple[str, ...]:
    """Return how a person logs in with any Matrix client; the password is in it, so show it to them only."""
    return (
        f"Homeserver  {accounts.homeserver_url}",
        f"User        {accounts.person_user_id}",
        f"Password    {accounts.person_password}",
        f"Room        {accounts.room_id}",
    )
