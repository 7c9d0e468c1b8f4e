"""The stage on which the Discord connector is made to suffer: two channels on a stand-in that misbehaves."""

from collections.abc import Collection, Sequence
from typing import Any

from bot.model import Address
from connectors.discord.connector import DiscordConnector
from connectors.faults import Fault
from tests.stages.discord import DiscordStage
from tests.stages.discord_stand_in.mischief import Trouble
from tests.stages.discord_stand_in.server import StandIn
from tests.stages.line import Line

_TROUBLES = {
    Fault.ERROR_STORM: Trouble.ERROR_STORM,
    Fault.LIMIT_WITH_BODY: Trouble.LIMIT,
    Fault.LIMIT_WITHOUT_BODY: Trouble.BARE_LIMIT,
    Fault.CUT_AFTER_ACCEPT: Trouble.CUT,
    Fault.DUPLICATE: Trouble.DOUBLE,
    Fault.REORDER: Trouble.REORDER,
    Fault.SLOW: Trouble.SLOW,
    Fault.SKEW: Trouble.SKEW,
}


class DiscordFaultStage(DiscordStage):
    """Two channels."""

    impossible: dict[Fault, str] = {}  # noqa: RUF012 - none

    def __init__(self, stand_in: StandIn, line: Line) -> None:
        self.other = stand_in.world.add_channel("other")
        super().__init__(stand_in, line)
        self.places = (self.place, Address("discord", self.other.id))

    def connect(self, **changes: Any) -> DiscordConnector:
        return super().connect(further=self._further, **changes)

    def _further(self) -> Collection[str]:
        return (self.other.id,)

    async def strike(self, fault: Fault) -> None:
        self.stand_in.mischief.strike(_TROUBLES[fault])
        if fault is Fault.ERROR_STORM:
            await self.stand_in.gateway.drop()  # whoever is in has to come again

    @property
    def struck(self) -> int:
        return self.stand_in.mischief.struck

    async def relent(self) -> None:
        self.stand_in.mischief.relent()

    async def speak_in(self, place: Address, text: str) -> str:
        return str(self.stand_in.speak(self.ann, place.place, text)["id"])

    async def seen_in(self, place: Address) -> Sequence[str]:
        return [one["content"] for _, one in self.said() if one["channel_id"] == place.place]
