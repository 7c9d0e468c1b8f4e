"""Agents' sessions: looking at them, going into them, beginning them anew."""

from typing import Annotated, Any

from pydantic import Field

from bot.agents.sessions import Check, DialogKey, Dialogs, Scene, Sessions, Way
from bot.command.declare import (
    EVERYONE,
    MEMBERS,
    OPERATORS,
    Call,
    Effect,
    Help,
    command,
    topic,
)
from bot.ports import Fleet
from bot.reply import Block, Code, Reply, Table, Text
from commands.agent_words import AgentName, OneOrAll

Lines = Annotated[int, Field(ge=1, le=5000), Help("how many rows at most, the last ones")]

Digest = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{16}$"),
    Help("press it only in this very dialog, as the marks below an announcement do"),
]


@topic("agent")
class SessionViews:
    """One agent's terminal (spec 3-contracts, Fleet and agents)."""

    def __init__(self, sessions: Sessions, fleet: Fleet) -> None:
        self._sessions = sessions
        self._fleet = fleet

    @command("tail", roles=MEMBERS)
    async def tail(self, call: Call, name: AgentName, *, lines: Lines = 40) -> Reply:
        """Show the end of an agent's screen, full-screen programs too."""
        scene = await self._sessions.scene(name, lines)
        return Reply(_scene_data(scene), (Text(_headline(scene)), Code("\n".join(scene.rows))))

    @command("watch", roles=MEMBERS)
    async def watch(self, call: Call, name: AgentName) -> Reply:
        """Look on in an agent's terminal: nothing is typed, and its size stays (at the command line)."""
        way = await self._sessions.way(name)
        where = f"On {way.host}: mosaic agent watch {name}; here: agent tail {name}"
        return Reply(_way_data(way, read_only=True), (Text(where),))

    @command("attach", roles=OPERATORS, effect=Effect.WRITE)
    async def attach(self, call: Call, name: AgentName) -> Reply:
        """Go into an agent's terminal and type there (at the command line)."""
        way = await self._sessions.way(name)
        where = f"On {way.host}: mosaic agent attach {name}"
        return Reply(_way_data(way, read_only=False), (Text(where),))

    @command(
        "reset",
        roles=OPERATORS,
        effect=Effect.WRITE,
        confirm="This ends the agent's conversation, with what it is working on, and begins a new one.",
    )
    async def reset(self, call: Call, name: AgentName) -> Reply:
        """Begin an agent's conversation anew: its session ends, and another starts with its prompt."""
        await self._fleet.stop(name)
        (record,) = await self._fleet.start(name)
        data = {"name": name, "session": record.session, "pane_id": record.pane_id}
        return Reply(data, (Text(f"{name} begins anew in {record.pane_id}."),))


@topic("agent")
class DialogCommands:
    """Dialogs in which an agent's program waits for a person."""

    def __init__(self, dialogs: Dialogs) -> None:
        self._dialogs = dialogs

    @command("answer", roles=OPERATORS, effect=Effect.WRITE, form="answer")
    async def answer(
        self,
        call: Call,
        name: AgentName,
        key: Annotated[DialogKey, Help("the key to press")],
        *,
        dialog: Digest | None = None,
    ) -> Reply:
        """Press one key in the dialog that an agent's program shows; refused when none is open."""
        scene = await self._dialogs.answer(name, key, dialog=dialog)
        return Reply(_scene_data(scene), (Text(_headline(scene)), Code("\n".join(scene.rows))))


@topic("fleet")
class FleetChecks:
    """The fleet against its roster."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @command("verify", roles=EVERYONE)
    async def verify(self, call: Call, name: OneOrAll = None) -> Reply:
        """Check one agent or all: session, program, heartbeat, directory, papers."""
        checks = await self._sessions.verify(name)
        failed = [check for check in checks if not check.well]
        said = (
            f"{len(failed)} of {len(checks)} checks failed."
            if failed
            else f"{len(checks)} checks, and all is well."
        )
        rows = tuple(
            (check.agent, check.about, "ok" if check.well else "FAIL", check.detail)
            for check in checks
        )
        table: tuple[Block, ...] = (Table(("agent", "check", "", "seen"), rows),) if rows else ()
        data = {"ok": not failed, "checks": [_check_data(check) for check in checks]}
        return Reply(data, (*table, Text(said)))


def _headline(scene: Scene) -> str:
    said = f"{scene.name} ({scene.pane_id}): {scene.state}"
    return said if scene.dialog is None else f"{said}, {scene.dialog}"


def _scene_data(scene: Scene) -> dict[str, Any]:
    return {
        "name": scene.name,
        "session": scene.session,
        "pane_id": scene.pane_id,
        "state": scene.state,
        "dialog": scene.dialog,
        "draft_tail": scene.draft_tail,
        "lines": list(scene.rows),
    }


def _way_data(way: Way, *, read_only: bool) -> dict[str, Any]:
    return {
        "name": way.name,
        "host": way.host,
        "socket": way.socket,
        "session": way.session,
        "read_only": read_only,
    }


def _check_data(check: Check) -> dict[str, Any]:
    return {
        "agent": check.agent,
        "check": check.about,
        "ok": check.well,
        "detail": check.detail,
    }
