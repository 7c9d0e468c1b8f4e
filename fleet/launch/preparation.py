"""What is made ready before an agent's program begins: its prompt, its papers, the words of its start line."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.config.places import Places
from bot.errors import UserError
from fleet.launch.papers import Papers
from fleet.launch.pretrust import pretrust
from fleet.launch.prompt import compose, prompt_pieces
from fleet.personas.persona import persona
from fleet.roster.document import Agent, Roster
from fleet.runtimes import RUNTIMES, Order


@dataclass(frozen=True, slots=True)
class Preparation:
    """Makes one host's agents ready."""

    places: Places
    host: str
    papers: Papers

    async def words(self, roster: Roster, agent: Agent) -> tuple[tuple[str, ...], Path]:
        """Write what an agent is started with; return its start line and its working directory.

        UserError when the directory is none, or a person's own files cannot be used.
        """
        directory = roster.working_directory(agent, Path.home())
        if not await asyncio.to_thread(directory.is_dir):
            raise UserError(f"{agent.name}: working_directory {directory} is not a directory")
        self.places.heartbeat_file(agent.name).unlink(missing_ok=True)
        await self._trust(agent, directory)
        prompt = self._prompt(roster, agent)
        launch = RUNTIMES[agent.runtime].launch(self._order(agent, prompt))
        paper = self.papers.issue(agent, prompt, launch)
        launcher = (sys.executable, "-P", "-m", "fleet.launch.launcher", str(paper))
        return (*launcher, *launch.words), directory

    def _order(self, agent: Agent, prompt: str) -> Order:
        return Order(
            agent,
            prompt=prompt,
            prompt_file=self.places.prompt_file(agent.name),
            folder=self.places.launch_directory(agent.name),
            events_file=self.places.events_file(agent.name),
        )

    def _prompt(self, roster: Roster, agent: Agent) -> str:
        refused = persona(agent.agent_class, self.places).refused
        if refused is not None:
            _log().warning("contract not used", agent=agent.name, reason=refused)
        return compose(prompt_pieces(roster, agent, self.host, self.places))

    async def _trust(self, agent: Agent, directory: Path) -> None:
        if agent.pretrust:
            home = Path(agent.env.get("HOME") or Path.home())
            if await asyncio.to_thread(pretrust, home, directory):
                _log().info("directory trusted", agent=agent.name, directory=str(directory))


def _log() -> structlog.stdlib.BoundLogger:
    log: structlog.stdlib.BoundLogger = structlog.get_logger(part="fleet")
    return log
