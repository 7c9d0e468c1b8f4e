"""The Discord connector, made of what the roster, the settings and the secrets say."""

import asyncio
from collections.abc import Callable, Collection
from functools import partial

from bot.command.lobby import Lobby
from bot.config.credentials import Credentials
from bot.config.settings import Settings
from bot.errors import SetupError
from bot.model import Address, derived_id
from bot.ports import Connector, Contents, Outbox, Positions, Tenure
from connectors.registry import constructor
from fleet.host.local import LocalFleet
from fleet.roster.document import DiscordBlock

KIND = "discord"


class DiscordAccount:
    """Which bot speaks on Discord, and where. What the roster does not say, the settings do.

    ``lanes`` are the places in which commands are taken; one bot is one process, over all that share a database
    (``tenure``). ``lobby`` is what people may touch there, None for nothing; it is asked when a connector is made.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        fleet: LocalFleet,
        *,
        contents: Contents,
        positions: Positions,
        tenure: Tenure,
        outbox: Outbox,
        lanes: Callable[[], Collection[str]],
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._fleet = fleet
        self._contents = contents
        self._positions = positions
        self._tenure = tenure
        self._outbox = outbox
        self._lanes = lanes
        self.lobby: Callable[[], Lobby] | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether the roster names it."""
        return self._block() is not None

    @property
    def place(self) -> Address | None:
        """Its primary channel, None when nobody says which one that is."""
        channel_id = self._said("channel_id")
        return Address(KIND, channel_id) if self.is_wanted and channel_id else None

    async def connect(self) -> Connector:
        """Return a connector; SetupError when it is not said who it is or where."""
        place = self.place
        if place is None:
            raise SetupError(
                "the channel of the connector discord is not known",
                hint="set channel_id in the roster's discord block, or in [connectors.discord] of mosaic.toml",
            )
        token = self._credentials.require("DISCORD_BOT_TOKEN")
        make = await asyncio.to_thread(constructor, KIND)  # its library takes a while to load
        settings = self._settings.connectors.discord
        return make(
            place.place,
            token,
            guild_id=self._said("guild_id"),
            cards_channel_id=settings.cards_channel_id,
            api_url=settings.api_url,
            gateway_url=settings.gateway_url,
            contents=self._contents,
            knows=partial(self._positions.known, KIND),
            further=self._further,
            lobby=None if self.lobby is None else self.lobby(),
            shown=partial(self._outbox.shown, KIND),
            # The token itself is a secret, and the lock's name is none.
            sole=partial(self._tenure.hold, derived_id("discord bot", token)),
        )

    def _further(self) -> Collection[str]:
        """Return the channels besides the primary one in which commands are taken."""
        found = (lane.partition(":") for lane in self._lanes())
        return {place for kind, _, place in found if kind == KIND and place.isdigit()}

    def _said(self, key: str) -> str:
        block = self._block()
        said = None if block is None else getattr(block, key)
        return str(said or getattr(self._settings.connectors.discord, key))

    def _block(self) -> DiscordBlock | None:
        if not self._fleet.is_known:
            return None
        roster = self._fleet.current
        blocks = (roster.connector, *roster.connectors)
        return next((block.discord or _EMPTY for block in blocks if block.kind == KIND), None)


_EMPTY = DiscordBlock()
