"""The port Sessions on this host's tmux: screens for people to look at, and what is checked of agents."""

import asyncio
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.agent_record import AgentRecord
from bot.agents.sessions import Check, Scene, Way
from bot.backlog.card_prompt import without_token
from fleet.health.heartbeat import read_heartbeat
from fleet.host.local import Door, LocalFleet
from fleet.readers import read_screen
from fleet.roster.document import Agent
from fleet.tmux.panes import Pane
from fleet.tmux.screen import Screen, screen_of

_PRIVATE = 0o600


class LocalSessions:
    """Looks, and changes nothing: no pane is resized, and no key is pressed."""

    def __init__(self, fleet: LocalFleet) -> None:
        self._fleet = fleet

    async def scene(self, name: str, rows: int) -> Scene:
        """Return what stands on an agent's screen; UserError when it does not run.

        A full-screen program has no rows but those on its screen (tmux keeps no history of them).
        """
        door = await self._fleet.door(name)
        (text,) = await door.terminal.screens([door.pane.id])
        screen = screen_of(door.pane, text or "")
        reading = read_screen(door.runtime.name, screen)
        return Scene(
            name=name,
            session=door.pane.session,
            pane_id=door.pane.id,
            state=reading.state.value,
            dialog=reading.dialog,
            draft_tail=reading.draft_tail,
            rows=await self._rows(door, screen, rows),
        )

    async def _rows(self, door: Door, screen: Screen, wanted: int) -> tuple[str, ...]:
        shown = screen.rows if door.pane.alternate else await door.terminal.history(door.pane.id)
        # A card's prompt may stand there, with its claim's token, which is the agent's alone.
        kept = [without_token(row.rstrip()) for row in shown]
        while kept and not kept[-1]:
            kept.pop()
        return tuple(kept[-wanted:])

    async def way(self, name: str) -> Way:
        """Return the way to a running agent's session."""
        door = await self._fleet.door(name)
        return Way(name, self._fleet.host, door.terminal.socket_name, door.pane.session)

    async def verify(self, name: str | None) -> Sequence[Check]:
        """Look at session, program, heartbeat, directory and papers of one agent or all."""
        agents = self._fleet.agents(name)
        records = {record.name: record for record in await self._fleet.observe()}
        panes = {door.agent.name: door.pane for door in await self._fleet.doors()}

        def look() -> list[Check]:
            return [
                check
                for agent in agents
                for check in self._checks(agent, records[agent.name], panes.get(agent.name))
            ]

        return await asyncio.to_thread(look)

    def _checks(self, agent: Agent, record: AgentRecord, pane: Pane | None) -> Iterator[Check]:
        socket = self._fleet.terminal(agent).socket_name or "default"
        where = f"tmux socket {socket}"
        seen = f"pane {'' if pane is None else pane.id} on {where}"
        by = self._fleet.stops.by(agent.name) if pane is None else None
        none = f"none of ours on {where}" if by is None else f"stopped by {by}"
        said = f"{none}; fleet start {agent.name}" if pane is None else seen
        yield Check(agent.name, "session", pane is not None or by is not None, said)
        yield self._directory(agent)
        if pane is None:
            return
        drifts = "DRIFT" in record.flags
        said = f"{record.command} runs" + (f", the roster says {agent.runtime}" if drifts else "")
        yield Check(agent.name, "program", not drifts, said)
        yield self._heartbeat(agent, pane)
        yield self._papers(agent)

    def _directory(self, agent: Agent) -> Check:
        place = self._fleet.current.working_directory(agent, Path.home())
        there = place.is_dir()
        return Check(
            agent.name, "directory", there, str(place) if there else f"{place} is not there"
        )

    def _heartbeat(self, agent: Agent, pane: Pane) -> Check:
        now = datetime.now(UTC)
        created = now - pane.age(now)
        beat = read_heartbeat(self._fleet.places.heartbeat_file(agent.name), created)
        if beat is None:
            return Check(agent.name, "heartbeat", False, "none yet")  # noqa: FBT003 - a verdict
        age = beat.age(now)
        detail = f"{beat.state}, {age.total_seconds():.0f} s ago"
        return Check(agent.name, "heartbeat", age <= self._fleet.thresholds.stale, detail)

    def _papers(self, agent: Agent) -> Check:
        places = self._fleet.places
        for path in (places.environment_file(agent.name), places.identity_file(agent.name)):
            try:
                mode = stat.S_IMODE(path.stat().st_mode)
            except FileNotFoundError:
                return Check(agent.name, "papers", False, f"{path} is gone; fleet restart")  # noqa: FBT003
            if mode != _PRIVATE:
                said = f"{path} has mode {mode:04o}, not 0600; chmod 600 it"
                return Check(agent.name, "papers", False, said)  # noqa: FBT003 - a verdict
        return Check(agent.name, "papers", True, "environment and token, mode 0600")  # noqa: FBT003
