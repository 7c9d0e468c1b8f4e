"""The fleet: who is in it, how each agent is, and starting or stopping them."""

from collections.abc import Sequence
from typing import Annotated, Any

from bot.agent_record import AgentRecord
from bot.command.declare import EVERYONE, OPERATORS, Call, Effect, Help, command, topic
from bot.errors import UserError
from bot.ports import Fleet
from bot.reply import Block, Reply, Table, Text
from bot.supervision.holders import Holders
from bot.supervision.pause import Pause, Standing, nobody_paused, pause_line
from commands.agent_words import OneOrAll

Watch = Annotated[bool, Help("at the command line: show it again every two seconds")]


@topic("fleet")
class FleetCommands:
    """The fleet's commands (spec 3-contracts, Fleet and agents)."""

    def __init__(self, fleet: Fleet, holders: Holders, standing: Standing = nobody_paused) -> None:
        self._fleet = fleet
        self._holders = holders
        self._standing = standing

    @command("ps", roles=EVERYONE)
    async def ps(self, call: Call, *, watch: Watch = False) -> Reply:
        """Show every agent with its session, heartbeat and readiness, and sessions that nobody named."""
        records = await self._holders.join(self._fleet.observe())
        return _records(records, await self._standing())

    @command("status", roles=EVERYONE)
    async def status(self, call: Call, name: OneOrAll = None) -> Reply:
        """Show how one agent is, or all."""
        self._known(name)
        records = await self._holders.join(self._fleet.observe())
        wanted = [record for record in records if name in {None, record.name}]
        return _records(wanted, await self._standing())

    @command("list", roles=EVERYONE)
    async def list(self, call: Call) -> Reply:
        """List the roster's agents as the roster describes them."""
        agents = self._fleet.roster()
        rows = tuple(
            (
                str(agent["name"]),
                str(agent["class"]),
                str(agent["runtime"]),
                str(agent.get("model_hint") or "-"),
                str(agent.get("host") or "any"),
            )
            for agent in agents
        )
        table = Table(("name", "class", "runtime", "model", "host"), rows)
        return Reply([*agents], (table,) if rows else (Text("The roster names nobody."),))

    @command("start", roles=OPERATORS, effect=Effect.WRITE)
    async def start(self, call: Call, name: OneOrAll = None) -> Reply:
        """Start one agent or all; those that run are left alone."""
        return _records(await self._fleet.start(name))

    @command(
        "stop",
        roles=OPERATORS,
        effect=Effect.WRITE,
        confirm="This ends the sessions of the agents named, or of all, with what they are working on.",
    )
    async def stop(self, call: Call, name: OneOrAll = None) -> Reply:
        """Stop one agent or all, with every process that they started, until somebody starts them."""
        return _records(await self._fleet.stop(name))

    @command(
        "restart",
        roles=OPERATORS,
        effect=Effect.WRITE,
        confirm="This ends and begins anew the sessions of the agents named, or of all.",
    )
    async def restart(self, call: Call, name: OneOrAll = None) -> Reply:
        """Stop and start one agent or all."""
        await self._fleet.stop(name)
        return _records(await self._fleet.start(name))

    def _known(self, name: str | None) -> None:
        names = [str(agent["name"]) for agent in self._fleet.roster()]
        if name is not None and name not in names:
            known = ", ".join(names) or "nobody"
            raise UserError(
                f"no agent is named {name}; the roster has: {known}", code="unknown_agent"
            )


def record_data(record: AgentRecord) -> dict[str, Any]:
    """Return a record as ``fleet ps --json`` prints it."""
    return {
        "tenant_id": record.tenant_id,
        "host": record.host,
        "name": record.name,
        "class": record.agent_class,
        "runtime": record.runtime,
        "model": record.model,
        "session": record.session,
        "pane_id": record.pane_id,
        "pid": record.pid,
        "command": record.command,
        "idle_seconds": record.idle_seconds,
        "heartbeat_age_seconds": record.heartbeat_age_seconds,
        "readiness": record.readiness,
        "evidence": record.evidence,
        "flags": list(record.flags),
        "card": record.card,
        "unit": {"active": record.unit_active, "enabled": record.unit_enabled},
    }


def _records(records: Sequence[AgentRecord], pause: Pause | None = None) -> Reply:
    blocks: tuple[Block, ...] = (Text("There are no agents here."),)
    if records:
        columns = ("name", "class", "runtime", "pane", "beat", "idle", "card", "readiness", "flags")
        blocks = (Table(columns, tuple(_row(record) for record in records)),)
    return Reply([record_data(record) for record in records], (*pause_line(pause), *blocks))


def _row(record: AgentRecord) -> tuple[str, ...]:
    return (
        record.name,
        record.agent_class or "-",
        record.runtime or "-",
        record.pane_id or "-",
        _age(record.heartbeat_age_seconds),
        _age(record.idle_seconds),
        record.card or "-",
        f"{record.readiness}: {record.evidence}",
        " ".join(record.flags) or "-",
    )


def _age(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f} s"
