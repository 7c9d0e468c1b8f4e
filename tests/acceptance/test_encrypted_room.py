"""A person in an encrypted room talks with a running fleet, whose daemon dies, and whose keys get lost."""

import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.matrix.homeserver.accounts import Account
from tests.stages.comparing import Comparing, mended
from tests.stages.encrypted import SECRET, PrivatePerson, private_person
from tests.stages.installation import Installation
from tests.stages.matrix import Bot
from tests.stages.room import DEMO, PATIENCE
from tests.stages.synapse import Town
from tests.waiting import until


@dataclass(frozen=True)
class PrivateRoom:
    """The installation, its encrypted room, and Ann, who operates it there."""

    installation: Installation
    town: Town
    ann: PrivatePerson
    bot: Account
    room_id: str

    async def said(self, *words: str) -> str:
        """Wait until the bot has said something that holds all these words, and return it."""

        def found() -> str:
            bodies = [c["body"] for c in self.ann.heard.values() if c["sender"] == self.bot.user_id]
            return next((body for body in bodies if all(word in body for word in words)), "")

        return await until(found, PATIENCE, f"{words} to be said")

    def count(self, word: str) -> int:
        """Return how many messages of the bot hold a word."""
        return sum(
            word in c["body"] for c in self.ann.heard.values() if c["sender"] == self.bot.user_id
        )

    async def wire(self) -> list[dict[str, Any]]:
        """Return the bot's events as a client without keys sees them."""
        events = await self.town.client(self.ann.account).events(self.room_id, self.bot.user_id)
        return [event for event in events if "state_key" not in event]

    async def part(self, state: str) -> str:
        """Wait until the connector's part has a state, and return its detail."""

        async def found() -> str:
            part = (await self.installation.status())["parts"]["connector.matrix"]
            return str(part["detail"]) if part["state"] == state else ""

        return await until(found, PATIENCE, f"the part to be {state}")


@asynccontextmanager
async def private_room(home: Path, town: Town, secret: Path) -> AsyncIterator[PrivateRoom]:
    """Lend a running installation whose room is encrypted."""
    account, bot = await town.account("ann"), await town.account("mosaic")
    room_id = await town.registrar.make_room(account, (bot,), "ops", encrypted=True)
    ann = await private_person(town, account, home.parent / "ann")
    installation = Installation(
        home, {"MATRIX_ACCESS_TOKEN": bot.token, "MATRIX_PICKLE_KEY_FILE": str(secret)}
    )
    operators = json.dumps([f"matrix:{ann.user_id}"])
    installation.write_settings(f"[access]\noperators = {operators}\n")
    block = {"homeserver_url": town.url, "user_id": bot.user_id, "room_id": room_id}
    installation.write_roster(
        {
            "version": 1,
            "tmux": {"socket_name": f"private-{os.getpid()}-{os.urandom(3).hex()}"},
            "connector": {"kind": "matrix", "matrix": block},
            "agents": [dict(agent) for agent in DEMO],
        }
    )
    try:
        await installation.up()
        async with ann.listening():
            room = PrivateRoom(installation, town, ann, bot, room_id)
            await room.part("ok")
            yield room
    finally:
        await installation.close()


@pytest.fixture(scope="module")
async def private(
    home: Path, homeserver: Town, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[PrivateRoom]:
    secret = tmp_path_factory.mktemp("secrets") / "pickle-key"
    secret.touch(mode=0o600)
    secret.write_text(f"{SECRET}\n")
    async with private_room(home, homeserver, secret) as room:
        yield room


async def test_commands_and_mail_are_answered_and_nothing_of_it_is_readable_without_keys(
    private: PrivateRoom,
) -> None:
    await private.ann.say(private.room_id, "!backlog create --id A1 --title schema")
    await private.said("A1", "schema")
    await private.ann.say(private.room_id, "hello")
    await private.said("dogfood orchestrator: hello")
    events = await private.wire()
    assert {event["type"] for event in events} <= {
        "m.room.encrypted",
        "m.reaction",
        "m.room.redaction",
    }
    assert "schema" not in json.dumps(events)


async def test_a_device_is_verified_by_symbols_that_are_said_in_the_room(
    private: PrivateRoom,
) -> None:
    ann, room_id = private.ann, private.room_id
    device_id = ann.account.device_id
    with mended():
        comparing = Comparing(ann, Bot(private.town, private.bot, room_id))
        await ann.say(room_id, f"!devices verify {ann.user_id} {device_id}")
        await private.said("I asked the device", device_id)
        names = [name for _, name in await comparing.symbols()]
        code = re.search(
            r"!devices confirm (\d{4})", await private.said("is being verified", *names)
        )
        assert code is not None
        await ann.say(room_id, f"!devices confirm {code[1]}")
        await private.said("confirmed here, not yet on the device")
        await comparing.confirm()
        await private.said(f"is verified ({code[1]})")
    listed = await private.installation.mosaic("devices", "list", ann.user_id, "--json")
    assert [one["trust"] for one in listed.data if one["id"] == device_id] == ["verified"]


async def test_what_is_said_while_the_daemon_is_dead_is_done_once_with_a_new_key(
    private: PrivateRoom,
) -> None:
    await private.installation.kill()
    private.ann.client.invalidate_outbound_session(private.room_id)
    await private.ann.say(private.room_id, "!backlog create --id A2 --title missed")
    await private.installation.up()
    await private.said("A2", "missed")
    await private.said("recovered 1, lost 0")
    listed = await private.installation.mosaic("backlog", "list", "--json")
    assert [card["id"] for card in listed.data] == ["A1", "A2"]
    assert private.count("missed") == 1


async def test_a_command_in_clear_text_is_not_run_and_the_room_is_told(
    private: PrivateRoom,
) -> None:
    forger = private.town.client(private.ann.account)
    await forger.say(private.room_id, "!backlog create --id A3 --title forged")
    told = await private.said("I cannot read what", "it was not encrypted")
    assert "docs/howto/matrix.md" in told
    listed = await private.installation.mosaic("backlog", "list", "--json")
    assert [card["id"] for card in listed.data] == ["A1", "A2"]


async def test_lost_keys_are_safe_mode_and_found_ones_are_not(private: PrivateRoom) -> None:
    crypto = private.installation.home / "crypto"
    assert crypto.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in crypto.iterdir()} == {0o600}
    await private.installation.down()
    crypto.rename(crypto.with_name("lost"))
    before = len(await private.wire())
    await private.installation.up()
    assert "that folder was lost" in await private.part("safe-mode")
    said = await private.installation.mosaic("status")
    assert "safe-mode" in said.out
    await private.installation.down()
    assert {e["type"] for e in (await private.wire())[before:]} <= {
        "m.reaction",
        "m.room.redaction",
    }
    for path in crypto.iterdir():
        path.unlink()
    crypto.rmdir()
    crypto.with_name("lost").rename(crypto)
    await private.installation.up()
    await private.part("ok")
    await private.ann.say(private.room_id, "!backlog create --id A4 --title found")
    await private.said("A4", "found")


async def test_another_secret_stops_the_part_with_a_sentence_and_no_other(
    private: PrivateRoom,
) -> None:
    await private.installation.down()
    environ = {"MATRIX_ACCESS_TOKEN": private.bot.token, "MATRIX_PICKLE_KEY": "another secret"}
    private.installation.give(environ)
    await private.installation.up()
    detail = await private.part("stopped")
    assert "were not encrypted with this MATRIX_PICKLE_KEY" in detail
    assert "another secret" not in private.installation.log()
    assert (await private.installation.status())["parts"]["connector.tmux"]["state"] == "ok"
