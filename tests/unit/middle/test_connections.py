"""Which rooms and people count before any connector is open."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.config.credentials import Credentials
from bot.config.places import Places
from bot.config.settings import Settings
from bot.model import Address, Message, Principal
from bot.rooms.moving import Moving
from bot.wiring.connections import Connections
from connectors.matrix.homeserver.accounts import LocalAccounts, save_accounts
from connectors.matrix.homeserver.part import LocalHomeserver
from connectors.memory import MemoryConnector, MemoryPlatform
from connectors.tmux.connector import PLACE, TmuxConnector
from fleet.health.readiness import Thresholds
from fleet.host.local import LocalFleet
from tests.fakes.contents import MemoryContents
from tests.fakes.mailroom import MemoryOutbox, MemoryPositions, MemorySuccessions, Room
from tests.fakes.tenure import MemoryTenure

ROSTER = {
    "version": 1,
    "connector": {
        "kind": "matrix",
        "matrix": {
            "homeserver_url": "https://example.org",
            "user_id": "@mos:example.org",
            "room_id": "!ops:example.org",
        },
    },
}
ACCOUNTS = LocalAccounts(
    "http://127.0.0.1:8008", "@mosaic:localhost", "t", "D", "@operator:localhost", "p", "!own:localhost",
    "pickle key of the bot",
)  # fmt: skip


async def drop(_messages: list[Message]) -> None:
    return None


def connections(
    home: Path, homeserver: LocalHomeserver | None = None, moving: Moving | None = None
) -> Connections:
    places = Places(home)
    places.prepare()
    fleet = LocalFleet(places, host="h", tenant_id="t", environment={}, thresholds=Thresholds())
    places.roster_file.write_text(json.dumps(ROSTER), encoding="utf-8")
    fleet.reload()

    async def nobody(_principal: Principal) -> bool:
        return False

    def ignore(*_said: Any, **_more: Any) -> None:
        return None

    return Connections(
        Settings(),
        Credentials({}),
        fleet,
        homeserver=homeserver,
        console=TmuxConnector(),
        may_invite=nobody,
        tell=ignore,
        contents=MemoryContents(),
        positions=MemoryPositions(Room()),
        moving=moving or Moving(MemorySuccessions(), drop),
        tenure=MemoryTenure(),
        outbox=MemoryOutbox(Room()),
    )


def test_what_waits_from_the_rosters_room_is_taken_before_its_connector_is_open(
    tmp_path: Path,
) -> None:
    found = connections(tmp_path)
    assert found.access().rooms == {"matrix:!ops:example.org", PLACE.lane}
    assert found.primary() == PLACE, "the console, while the room cannot be spoken in"


def test_the_local_homeservers_room_and_person_are_known_from_its_earlier_run(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "homeserver"
    directory.mkdir()
    homeserver = LocalHomeserver(directory)
    found = connections(tmp_path / "home", homeserver)
    assert found.access().rooms == {PLACE.lane}
    save_accounts(directory / "accounts.json", ACCOUNTS)
    assert found.access().rooms == {"matrix:!own:localhost", PLACE.lane}
    assert found.access().operators == {"matrix:@operator:localhost"}
    assert asdict(ACCOUNTS) == asdict(homeserver.known or ACCOUNTS)


async def test_the_role_of_a_replaced_room_moves_along_before_its_connector_is_open(
    tmp_path: Path,
) -> None:
    said: list[Message] = []

    async def keep(messages: list[Message]) -> None:
        said.extend(messages)

    successions = MemorySuccessions()
    await Moving(successions, keep).of("matrix")("!ops:example.org", "!new")
    await Moving(successions, keep).of("matrix")("!new", "!newer")
    moving = Moving(successions, drop)
    found = connections(tmp_path, moving=moving)
    assert found.access().rooms == {"tmux:console", "matrix:!ops:example.org"}
    await moving.learn("matrix")
    rooms = {f"matrix:{room}" for room in ("!ops:example.org", "!new", "!newer")}
    assert found.access().rooms >= {"tmux:console", "matrix:!newer"}
    assert moving.widened(["matrix:!ops:example.org"]) == rooms
    assert moving.current(Address("matrix", "!ops:example.org", "$thread")) == Address(
        "matrix", "!newer"
    )
    assert [message.to.place for message in said] == ["!new", "!newer"]


async def test_a_circle_of_rooms_ends(tmp_path: Path) -> None:
    moving = Moving(MemorySuccessions(), drop)
    await moving.of("matrix")("!a", "!b")
    await moving.of("matrix")("!b", "!a")
    assert moving.current(Address("matrix", "!a")).place in {"!a", "!b"}
    assert moving.widened(["matrix:!a"]) == {"matrix:!a", "matrix:!b"}


class PutOut(MemoryConnector):
    """A connector that was put out of its own place, or is in it again."""

    out = True

    def is_out(self, address: Address) -> bool:
        return self.out and address.place == "!ops:example.org"


def test_operators_are_told_at_the_console_while_the_primary_room_is_closed_to_us(
    tmp_path: Path,
) -> None:
    found = connections(tmp_path)
    connector = found._live["matrix"] = PutOut(MemoryPlatform(), MemoryContents())
    assert found.primary() == PLACE
    connector.out = False
    assert found.primary() == Address("matrix", "!ops:example.org")
