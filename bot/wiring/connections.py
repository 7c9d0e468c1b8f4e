"""Which connectors run, how each is made from what is configured, and who may do what through them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

from bot.backlog.kept_threads import CardThreads, HasCardThreads
from bot.command.lobby import Lobby
from bot.config.credentials import Credentials
from bot.config.settings import Settings
from bot.connector import Capabilities
from bot.errors import SetupError, TransientError, UserError
from bot.model import Address, Principal
from bot.persons import Persons
from bot.policy import Access
from bot.ports import (
    Carrier,
    Connector,
    Contents,
    FetchesFiles,
    KnowsEncryption,
    KnowsWhenItIsOut,
    Outbox,
    Positions,
    ShowsTyping,
    Tenure,
)
from bot.rooms.devices import Devices, KnowsDevices, Verification, Verifications
from bot.rooms.moving import Moving
from bot.rooms.ports import HasRooms
from bot.wiring.discord_account import DiscordAccount
from bot.wiring.reception import ConnectorCarrier, Open
from commands.device_words import Put, tell_of
from connectors.discord.limits import CAPABILITIES as DISCORD_CAPABILITIES
from connectors.matrix.homeserver.accounts import LocalAccounts
from connectors.matrix.homeserver.part import LocalHomeserver
from connectors.matrix.keys import Keys, Trust
from connectors.registry import constructor
from connectors.tmux.connector import PLACE, TmuxConnector
from fleet.host.local import LocalFleet
from fleet.roster.document import MatrixBlock

MayInvite = Callable[[Principal], Awaitable[bool]]

_NEVER_ENCRYPTED = frozenset({"tmux", "discord"})


class Connections:
    """The connectors that run now, by kind.

    The operator's console always runs, since it needs no account; the others run when the roster names
    them (Matrix also when there is a local homeserver). ``may_invite`` says whose invitations are
    followed, ``tell`` tells the operators something. ``moving`` knows which places took over from others.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        fleet: LocalFleet,
        *,
        homeserver: LocalHomeserver | None,
        console: TmuxConnector,
        may_invite: MayInvite,
        tell: Put,
        contents: Contents,
        positions: Positions,
        moving: Moving,
        tenure: Tenure,
        outbox: Outbox,
    ) -> None:
        self._contents = contents
        self._positions = positions
        self._moving = moving
        self._settings = settings
        self._credentials = credentials
        self._fleet = fleet
        self._homeserver = homeserver
        self._console = console
        self._may_invite = may_invite
        self._tell = tell
        self._live: dict[str, Connector] = {}
        self._more_lanes: Callable[[], frozenset[str]] = frozenset
        self._persons: Callable[[], Persons] = Persons
        self._discord = DiscordAccount(
            settings,
            credentials,
            fleet,
            contents=contents,
            positions=positions,
            tenure=tenure,
            outbox=outbox,
            lanes=lambda: {*settings.access.rooms, *self._more_lanes()},
        )

    # -- which, and how --------------------------------------------------------------------------------

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds that are to run, the console first."""
        wanted = ["tmux"]
        if self._homeserver is not None or self._matrix_block() is not None:
            wanted.append("matrix")
        if self._discord.is_wanted:
            wanted.append("discord")
        return tuple(wanted)

    def opener(self, kind: str) -> Open:
        """Return what makes a connector of this kind, and counts it as live while it is open."""
        make = {
            "tmux": self._make_console,
            "matrix": self._make_matrix,
            "discord": self._discord.connect,
        }[kind]

        @asynccontextmanager
        async def opened() -> AsyncIterator[Connector]:
            connector = self._live[kind] = await make()
            try:
                yield connector
            finally:
                del self._live[kind]
                await connector.close()

        return opened

    async def _make_console(self) -> Connector:
        return self._console

    async def _make_matrix(self) -> Connector:
        block, token, device = await self._matrix_account()
        make = await asyncio.to_thread(constructor, "matrix")  # its libraries take a while to load
        return make(
            block.homeserver_url,
            block.user_id,
            block.room_id,
            token,
            device_id=device,
            may_invite=self._may_invite,
            report=self._report,
            knows=partial(self._positions.known, "matrix"),
            successors=await self._moving.learn("matrix"),
            moved=self._moving.of("matrix"),
            keys=self._matrix_keys(),
            verified=self._verified,
            contents=self._contents,
            read_receipts=self._settings.connectors.matrix.read_receipts,
        )

    async def _report(self, text: str) -> None:
        self._tell(text)

    async def _verified(self, verification: Verification) -> None:
        await tell_of(verification, self._tell)

    def _matrix_keys(self) -> Keys | None:
        """Return where the device's keys lie, None when nobody gave a secret to keep them by.

        The local homeserver's bot has keys of its own, so that its device never stands in another account's way.
        """
        folder, secret = (
            self._fleet.places.crypto_directory,
            self._credentials.get("MATRIX_PICKLE_KEY"),
        )
        if (accounts := self._accounts()) is not None:
            folder, secret = folder / "local", accounts.bot_pickle_key
        trust = Trust(self._settings.connectors.matrix.trust)
        return None if secret is None else Keys(folder, secret, trust)

    async def _matrix_account(self) -> tuple[MatrixBlock, str, str | None]:
        if self._homeserver is not None:
            known = await self._homeserver.accounts()
            block = MatrixBlock(
                homeserver_url=known.homeserver_url,
                user_id=known.bot_user_id,
                room_id=known.room_id,
            )
            return block, known.bot_token, known.bot_device_id
        configured = self._matrix_block()
        if configured is None:
            raise SetupError("the roster has no matrix connector any more")
        token = self._credentials.require("MATRIX_ACCESS_TOKEN")
        return configured, token, self._credentials.get("MATRIX_DEVICE_ID")

    def _matrix_block(self) -> MatrixBlock | None:
        if not self._fleet.is_known:
            return None
        roster = self._fleet.current
        blocks = (roster.connector, *roster.connectors)
        return next((block.matrix for block in blocks if block.kind == "matrix"), None)

    # -- what the rest may know ------------------------------------------------------------------------

    def carriers(self) -> Mapping[str, Carrier]:
        """Return a carrier for every connector that is live."""
        return {kind: ConnectorCarrier(connector) for kind, connector in self._live.items()}

    def capabilities(self, kind: str) -> Capabilities | None:
        """Return what a live connector can show, None for one that is not live."""
        connector = self._live.get(kind)
        return None if connector is None else connector.capabilities()

    def limits(self, kind: str) -> Capabilities | None:
        """Return what a connector can show as far as that is known, live or not: what waits is written for it."""
        known = DISCORD_CAPABILITIES if kind == "discord" else None
        return self.capabilities(kind) or known

    def edits(self, kind: str) -> bool:
        """Whether what was said there can be edited now."""
        capabilities = self.capabilities(kind)
        return capabilities is not None and capabilities.edits

    def fetchers(self) -> dict[str, FetchesFiles]:
        """Return the live connectors to which people send files, by kind."""
        return {
            kind: cast("FetchesFiles", connector)
            for kind, connector in self._live.items()
            if connector.capabilities().file_bytes
        }

    def devices(self) -> Devices | None:
        """Return people's devices in encrypted rooms, None while no connector that is live knows any."""
        connector = self._live.get("matrix")
        return None if connector is None else cast("KnowsDevices", connector).devices

    def verifications(self) -> Verifications | None:
        """Return the verifications of devices, None while no connector that is live knows any devices."""
        connector = self._live.get("matrix")
        return None if connector is None else cast("KnowsDevices", connector).verifications

    async def is_encrypted(self, place: Address) -> bool:
        """Whether what is said in a place is encrypted; TransientError while its connector is not open.

        Of a place that we may not look at nobody can say that it is open.
        """
        if place.kind in _NEVER_ENCRYPTED:
            return False
        connector = self._live.get(place.kind)
        if connector is None:
            raise TransientError(f"{place.kind} is not open, so nobody knows whether it encrypts")
        try:
            return isinstance(connector, KnowsEncryption) and await connector.is_encrypted(place)
        except UserError:
            return True

    def typing(self, kind: str) -> ShowsTyping | None:
        """Return the connector if it is live and shows typing."""
        connector = self._live.get(kind)
        if connector is None or not connector.capabilities().typing:
            return None
        # What a connector says of itself, the contract suite proves.
        return cast("ShowsTyping", connector)

    def card_threads(self) -> Sequence[CardThreads]:
        """Return the live platforms where we can make threads for cards."""
        return tuple(
            cast("HasCardThreads", connector).card_threads  # as above
            for connector in self._live.values()
            if connector.capabilities().card_threads
        )

    def rooms_of(self, kind: str) -> HasRooms:
        """Return a live connector whose capabilities say that it makes rooms."""
        return cast("HasRooms", self._live[kind])  # as above

    def roomy(self) -> Address | None:
        """Return the own place of a live connector that makes rooms, None when there is none."""
        for kind, place in self._places().items():
            capabilities = self.capabilities(kind)
            if capabilities is not None and capabilities.rooms:
                return place
        return None

    def also(self, lanes: Callable[[], frozenset[str]]) -> None:
        """Take commands in these rooms too, besides the settings' and the connectors' own."""
        self._more_lanes = lanes

    def open_to(self, lobby: Callable[[], Lobby]) -> None:
        """Let people touch what they may say, where a platform has that; ``lobby`` is asked when a connector is made."""
        self._discord.lobby = lobby

    def know(self, persons: Callable[[], Persons]) -> None:
        """Let what the settings say of one account count for all that are linked with it."""
        self._persons = persons

    def primary(self) -> Address:
        """Return where the operators are told what concerns them: the console while the primary one is not open, or put out."""
        kind = "tmux"
        if self._homeserver is not None:
            kind = "matrix"
        elif self._fleet.is_known:
            kind = self._fleet.current.connector.kind
        connector, place = self._live.get(kind), self._places().get(kind, PLACE)
        lost = isinstance(connector, KnowsWhenItIsOut) and connector.is_out(place)
        return PLACE if connector is None or lost else place

    def _places(self) -> Mapping[str, Address]:
        """Return the connectors' own places, open or not: what waits since an earlier life came from there."""
        places = {"tmux": PLACE}
        if (accounts := self._accounts()) is not None:
            places["matrix"] = Address("matrix", accounts.room_id)
        elif self._homeserver is None and (block := self._matrix_block()) is not None:
            places["matrix"] = Address("matrix", block.room_id)
        if (channel := self._discord.place) is not None:
            places["discord"] = channel
        return {kind: self._moving.current(place) for kind, place in places.items()}

    def _accounts(self) -> LocalAccounts | None:
        return None if self._homeserver is None else self._homeserver.known

    # -- who may do what -------------------------------------------------------------------------------

    def access(self) -> Access:
        """Return who may do what, and where: the settings, and what the connectors themselves bring.

        What counts for a place counts for the one that took over from it.
        """
        configured = self._settings.access
        own_rooms = {place.lane for place in self._places().values()}
        accounts = self._accounts()
        own_people = set() if accounts is None else {f"matrix:{accounts.person_user_id}"}
        return Access(
            operators=frozenset({*configured.operators, *own_people}),
            members=frozenset(configured.members),
            rooms=self._moving.widened({*configured.rooms, *own_rooms, *self._more_lanes()}),
            persons=self._persons(),
        )
