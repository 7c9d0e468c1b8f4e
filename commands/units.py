"""Agents that are there again after a boot: units of the service manager."""

from collections.abc import Sequence

from bot.agents.units import Units
from bot.command.declare import OPERATORS, Call, Effect, command, topic
from bot.ports import Fleet
from bot.reply import Reply, Text, say


@topic("fleet")
class UnitCommands:
    """The units of this host's agents (deploy/README.md)."""

    def __init__(self, units: Units, fleet: Fleet) -> None:
        self._units = units
        self._fleet = fleet

    @command(
        "units install",
        roles=OPERATORS,
        effect=Effect.WRITE,
        confirm="This writes units into your systemd directory and enables them: daemon and agents start at boot.",
    )
    async def install(self, call: Call) -> Reply:
        """Let daemon and agents be started at boot by systemd."""
        files = await self._units.install(self._names())
        lines = "\n".join(files)
        advice = "They count from the next boot on; `loginctl enable-linger` lets them run with nobody logged in."
        return Reply(
            {"installed": list(files)}, (Text(f"Written and enabled:\n{lines}"), Text(advice))
        )

    @command(
        "units remove",
        roles=OPERATORS,
        effect=Effect.WRITE,
        confirm="This disables the units and takes their files away; what runs goes on.",
    )
    async def remove(self, call: Call) -> Reply:
        """Let systemd start nothing of ours any more; what runs goes on."""
        files = await self._units.remove(self._names())
        if not files:
            return say("There were none.", {"removed": []})
        lines = "\n".join(files)
        return say(f"Disabled and taken away:\n{lines}", {"removed": list(files)})

    def _names(self) -> Sequence[str]:
        return [str(agent["name"]) for agent in self._fleet.roster()]
