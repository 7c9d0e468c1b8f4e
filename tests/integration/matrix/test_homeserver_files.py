"""What is in deploy/homeserver: files that can be read, a Synapse that starts with its own, accounts made on it."""

import asyncio
import os
import stat
import sys
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.stages.synapse import free_port
from tests.waiting import until

DEPLOY = Path(__file__).parents[3] / "deploy"
HERE = DEPLOY / "homeserver"
SYNAPSE = ("-m", "synapse.app.homeserver")
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Deployed:
    """A Synapse that runs with our file; the paths of the container lie in ``place``."""

    url: str
    place: Path

    async def account(self, *words: str, password: str = "") -> tuple[int, str]:
        """Run account.py and return its status and what it said."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(HERE / "account.py"), *words, "--url", self.url,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate(f"{password}\n".encode())
        return process.returncode or 0, said.decode()

    async def ask(
        self, method: str, path: str, token: str = "", body: Any = None
    ) -> tuple[int, dict[str, Any]]:
        """Ask the homeserver."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, self.url + path, json=body, headers=headers) as answer,
        ):
            return answer.status, await answer.json()

    @property
    def secret(self) -> str:
        """Where the registration secret is."""
        return str(self.place / "run" / "secrets" / "registration_secret")


@pytest.fixture(scope="module")
async def deployed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployed]:
    place, port = tmp_path_factory.mktemp("deployed"), free_port()
    _lay_out(place, port)
    environ = {"PATH": os.environ["PATH"], "HOME": str(place)}
    config = ("--config-path", str(place / "config" / "synapse.yaml"))
    keys = await asyncio.create_subprocess_exec(
        sys.executable, *SYNAPSE, *config, "--generate-keys", cwd=place, env=environ
    )
    assert await keys.wait() == 0
    server = await asyncio.create_subprocess_exec(
        sys.executable, *SYNAPSE, *config, cwd=place, env=environ
    )
    found = Deployed(f"http://127.0.0.1:{port}", place)
    try:
        await until(lambda: _answers(found, server), START_SECONDS, "Synapse to answer")
        yield found
    finally:
        server.terminate()
        await server.wait()


def _lay_out(place: Path, port: int) -> None:
    """Give the container's paths a place of their own; nothing else of the file is changed."""
    for name in ("config", "data", "run/secrets"):
        (place / name).mkdir(parents=True)
    for name in ("registration_secret", "macaroon_secret", "form_secret"):
        (place / "run" / "secrets" / name).write_text(f"the {name} of a test\n", encoding="utf-8")
    text = (HERE / "synapse.yaml").read_text(encoding="utf-8")
    for path in ("/config/", "/data/", "/run/"):
        text = text.replace(f" {path}", f" {place}{path}")
    text = text.replace("port: 8008", f"port: {port}").replace("'0.0.0.0'", "'127.0.0.1'")
    (place / "config" / "synapse.yaml").write_text(text, encoding="utf-8")
    log = (HERE / "log.yaml").read_text(encoding="utf-8")
    (place / "config" / "log.yaml").write_text(log, encoding="utf-8")


async def _answers(found: Deployed, server: asyncio.subprocess.Process) -> bool:
    assert server.returncode is None, f"Synapse ended with {server.returncode}"
    try:
        return (await found.ask("GET", "/_matrix/client/versions"))[0] == 200
    except (aiohttp.ClientError, OSError):
        return False


async def test_accounts_are_made_and_the_bots_token_is_kept_for_its_owner_alone(
    deployed: Deployed,
) -> None:
    status, said = await deployed.account("ann", "--secret", deployed.secret)
    assert status == 0, said
    assert "made @ann:mosaic.local" in said
    assert "password of ann: " in said, "an empty password is drawn, and told once"
    file = deployed.place / "token"
    status, said = await deployed.account(
        "mosaic", "--secret", deployed.secret, "--token", str(file), password="chosen by us"
    )
    assert status == 0, said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text(encoding="utf-8").strip()
    assert token not in said
    _, told = await deployed.ask("GET", "/_matrix/client/v3/account/whoami", token)
    assert told["user_id"] == "@mosaic:mosaic.local"
    assert told["device_id"] in said


async def test_an_account_that_is_there_is_logged_in_on_a_new_device(deployed: Deployed) -> None:
    file = deployed.place / "second"
    await deployed.account("twice", "--secret", deployed.secret, password="chosen by us")
    for _ in range(2):
        status, said = await deployed.account(
            "twice", "--token", str(file), password="chosen by us"
        )
        assert status == 0, said
    status, said = await deployed.account("twice", "--token", str(file), password="another")
    assert status == 1
    assert "answered 403" in said


async def test_nobody_registers_by_himself(deployed: Deployed) -> None:
    body = {"username": "eve", "password": "long enough for all", "auth": {"type": "m.login.dummy"}}
    status, told = await deployed.ask("POST", "/_matrix/client/v3/register", body=body)
    assert (status, told["errcode"]) == (403, "M_FORBIDDEN")


async def test_rooms_are_encrypted_without_being_asked(deployed: Deployed) -> None:
    file = deployed.place / "room"
    await deployed.account("rooms", "--secret", deployed.secret, "--token", str(file))
    token = file.read_text(encoding="utf-8").strip()
    _, made = await deployed.ask("POST", "/_matrix/client/v3/createRoom", token, {})
    path = f"/_matrix/client/v3/rooms/{made['room_id']}/state/m.room.encryption/"
    status, told = await deployed.ask("GET", path, token)
    assert (status, told["algorithm"]) == (200, "m.megolm.v1.aes-sha2")


@pytest.mark.parametrize("name", ["tuwunel", "continuwuity"])
def test_the_others_are_closed_to_the_world_too(name: str) -> None:
    told = tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))["global"]
    assert told["allow_registration"] is False
    assert told["allow_federation"] is False
    assert told["trusted_servers"] == []


def test_compose_mounts_what_is_there_and_publishes_on_loopback_only() -> None:
    told = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    secrets = told["secrets"]
    for service in told["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert set(service.get("secrets", ())) <= set(secrets)
        mounted = (volume.split(":")[0] for volume in service.get("volumes", ()))
        for source in mounted:
            there = source in told["volumes"] or (DEPLOY / source).is_file()
            assert there, source


@pytest.mark.parametrize("name", ["synapse", "tuwunel", "continuwuity"])
def test_a_homeserver_has_the_name_that_the_examples_know(name: str) -> None:
    found = next(HERE.glob(f"{name}.*")).read_text(encoding="utf-8")
    told = tomllib.loads(found)["global"] if name != "synapse" else yaml.safe_load(found)
    roster = yaml.safe_load((DEPLOY / "roster.yaml").read_text(encoding="utf-8"))
    block = roster["connector"]["matrix"]
    assert told["server_name"] == block["user_id"].partition(":")[2]
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    aliases = compose["services"][name]["networks"]["default"]["aliases"]
    assert block["homeserver_url"] == f"http://{aliases[0]}:8008"
