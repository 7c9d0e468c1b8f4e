"""The local homeserver: a person can log in, and it lives exactly as long as its owner."""

import asyncio
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nio
import pytest

from bot.errors import SetupError
from connectors.matrix.connector import MatrixConnector
from connectors.matrix.homeserver.accounts import Account, LocalAccounts
from connectors.matrix.homeserver.part import LocalHomeserver, login_lines
from connectors.matrix.homeserver.synapse import Synapse, require
from connectors.matrix.keys import Keys
from tests.fakes.contents import MemoryContents
from tests.stages.encrypted import PrivatePerson
from tests.stages.matrix import Ear, message
from tests.stages.synapse import free_port
from tests.waiting import until


@asynccontextmanager
async def _running(homeserver: LocalHomeserver, told: list[str]) -> AsyncIterator[None]:
    task = asyncio.create_task(homeserver.run(told.append))
    try:
        await until(lambda: told or task.done(), timeout=60, what="a ready homeserver")
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def _log_in(accounts: LocalAccounts, store: Path) -> PrivatePerson:
    """Log in as the person, with a client that encrypts."""
    client = nio.AsyncClient(accounts.homeserver_url, accounts.person_user_id)
    answer = await client.login(accounts.person_password)
    await client.close()
    assert isinstance(answer, nio.LoginResponse)
    account = Account(answer.user_id, answer.access_token, answer.device_id, "")
    return PrivatePerson(accounts.homeserver_url, account, store / "ann")


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_a_person_talks_and_all_survives_a_crash_a_restart_and_a_killed_owner(
    tmp_path: Path,
) -> None:
    port, told = free_port(), list[str]()
    homeserver = LocalHomeserver(tmp_path / "homeserver", port)
    async with _running(homeserver, told):
        accounts = await homeserver.accounts()
        assert accounts.person_user_id in told[0]
        ann = await _log_in(accounts, tmp_path)

        async def allow(_who: object) -> bool:
            return True

        async def report(_text: str) -> None:
            raise AssertionError("nothing is to be reported")

        connector = MatrixConnector(
            accounts.homeserver_url, accounts.bot_user_id, accounts.room_id, accounts.bot_token,
            device_id=accounts.bot_device_id, may_invite=allow, report=report,
            contents=MemoryContents(),
            keys=Keys(tmp_path / "crypto", accounts.bot_pickle_key),
        )  # fmt: skip
        ear = Ear()
        listening = asyncio.create_task(connector.subscribe(ear.accept, None))
        await until(lambda: ear.batches, what="a listening bot")
        first = homeserver._synapse.pid
        assert first is not None
        homeserver._synapse.kill()
        await until(lambda: len(told) == 2, timeout=60, what="the restarted homeserver")
        async with ann.listening():
            await ann.say(accounts.room_id, "hello")
            await until(lambda: "hello" in ear.texts, what="the person's text")
            await connector.send(message(accounts.room_id, "hello to you"))
            await ann.hears("hello to you")
        assert ann.client.rooms[accounts.room_id].encrypted
        second = homeserver._synapse.pid
        assert second is not None
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await connector.close()
        await ann.client.close()
    assert not _runs(first)
    assert not _runs(second)
    forgotten = Synapse(tmp_path / "homeserver", port)
    await forgotten.start()  # as if its owner had been killed
    again = LocalHomeserver(tmp_path / "homeserver", port)
    async with _running(again, []):
        assert await again.accounts() == accounts
    assert await asyncio.wait_for(forgotten.wait(), 5) == -signal.SIGKILL
    for secret in ("accounts.json", "registration.secret", "signing.key", "homeserver.yaml"):
        mode = (tmp_path / "homeserver" / secret).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600, secret
    assert accounts.bot_token not in repr(accounts)
    assert accounts.person_password in "\n".join(login_lines(accounts))
    assert accounts.bot_token not in "\n".join(login_lines(accounts))


async def test_a_pid_of_another_program_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "synapse.pid").write_text(f"{os.getpid()}\n")
    assert Synapse(tmp_path, free_port())._leftover() is None


async def test_a_port_that_is_taken_is_a_set_up_matter(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SetupError, match=f"port {port}"):
            await Synapse(tmp_path / "homeserver", port).start()


def test_a_first_run_that_was_cut_short_is_begun_anew_and_kept_aside(tmp_path: Path) -> None:
    synapse = Synapse(tmp_path, free_port())
    (tmp_path / "homeserver.db").write_text("half")
    synapse.set_aside()
    synapse.set_aside()
    [kept] = tmp_path.glob("homeserver.db*")
    assert kept.name.startswith("homeserver.db.unused-")


def test_without_synapse_the_extra_is_named() -> None:
    with pytest.raises(SetupError, match="extra `homeserver`") as error:
        require("no_such_synapse")
    assert error.value.hint is not None
    assert "make install-homeserver" in error.value.hint
