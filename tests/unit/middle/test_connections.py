"""Which rooms and people count before any connector is open."""

import json
from dataclasses import asdict
from pathlib import Path

from bot.connections import Connections
from bot.credentials import Credentials
from bot.model import Principal
from bot.places import Places
from bot.settings import Settings
from connectors.matrix.accounts import LocalAccounts, save_accounts
from connectors.matrix.homeserver import LocalHomeserver
from connectors.tmux.connector import PLACE, TmuxConnector
from fleet.local import LocalFleet
from fleet.readiness import Thresholds
from tests.fakes.contents import MemoryContents

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


def connections(home: Path, homeserver: LocalHomeserver | None = None) -> Connections:
    places = Places(home)
    places.prepare()
    fleet = LocalFleet(places, host="h", tenant_id="t", environment={}, thresholds=Thresholds())
    places.roster_file.write_text(json.dumps(ROSTER), encoding="utf-8")
    fleet.reload()

    async def nobody(_principal: Principal) -> bool:
        return False

    async def ignore(_text: str) -> None:
        return None

    return Connections(
        Settings(),
        Credentials({}),
        fleet,
        homeserver=homeserver,
        console=TmuxConnector(),
        may_invite=nobody,
        report=ignore,
        contents=MemoryContents(),
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
