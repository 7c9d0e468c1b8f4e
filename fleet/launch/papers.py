"""What an agent is given to know who it is: its environment file and its token file, both mode 0600."""

import json
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.config.places import Places
from bot.errors import UserError
from fleet.launch.launcher import local_file, read_local_environment, write_environment
from fleet.private_files import write_private
from fleet.roster.document import Agent
from fleet.runtimes import Launch


@dataclass(frozen=True, slots=True)
class Papers:
    """Issues agents' papers and knows them again.

    ``environment`` is the daemon's own, of which an agent gets PATH and what its ``env_from`` names.
    """

    places: Places
    host: str
    environment: Mapping[str, str]

    def issue(self, agent: Agent, prompt: str, launch: Launch) -> Path:
        """Write an agent's papers with a new token and return its environment file.

        UserError ``PATH:LINE: …`` when a person's own additions to it cannot be read.
        """
        self.places.prepare()
        path = self.places.environment_file(agent.name)
        try:
            read_local_environment(local_file(path))
        except ValueError as error:
            raise UserError(str(error), code="wrong_file") from error
        self._write_files(agent, prompt, launch)
        identity = {
            "name": agent.name,
            "host": self.host,
            "socket": str(self.places.api_socket),
            "token": secrets.token_urlsafe(32),
        }
        write_private(self.places.identity_file(agent.name), json.dumps(identity) + "\n")
        head = f"# Written at each start. Your own lines belong in {local_file(path).name}: they win.\n"
        values = self._values(agent) | dict(launch.environment)
        write_private(path, head + write_environment(values))
        return path

    def _write_files(self, agent: Agent, prompt: str, launch: Launch) -> None:
        folder = self.places.launch_directory(agent.name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        write_private(self.places.prompt_file(agent.name), prompt)
        for path, text in launch.files.items():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(path, text)

    def withdraw(self, name: str) -> None:
        """Make an agent's token worthless and take away what was written for it; harmless when there is none."""
        for path in (
            self.places.identity_file(name),
            self.places.environment_file(name),
            self.places.prompt_file(name),
        ):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.places.launch_directory(name), ignore_errors=True)

    def mark(self, name: str) -> str:
        """Return the ``NAME=value`` that every process of an agent bears in its environment."""
        return f"MOSAIC_AGENT_FILE={self.places.identity_file(name)}"

    def bearer(self, token: str) -> str | None:
        """Return the name of the agent whose token this is, None when it is nobody's."""
        for path in sorted(self.places.identity_file("x").parent.glob("*.json")):
            try:
                identity = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                continue
            if secrets.compare_digest(
                str(identity.get("token", "")).encode(), token.encode(errors="replace")
            ):
                return path.stem
        return None

    def _values(self, agent: Agent) -> dict[str, str]:
        programs = str(Path(sys.executable).parent)
        path = self.environment.get("PATH", "/usr/local/bin:/usr/bin:/bin")
        passed = {name: self.environment[name] for name in self._passed(agent)}
        return {
            "PATH": path if programs in path.split(":") else f"{programs}:{path}",
            **agent.env,
            **passed,
            "MOSAIC_HOME": str(self.places.home),
            "MOSAIC_AGENT_NAME": agent.name,
            "MOSAIC_AGENT_FILE": str(self.places.identity_file(agent.name)),
            "MOSAIC_AGENT_PROMPT_FILE": str(self.places.prompt_file(agent.name)),
        }

    def _passed(self, agent: Agent) -> list[str]:
        log = structlog.get_logger(part="fleet")
        usable: list[str] = []
        for name in agent.env_from:
            value = self.environment.get(name)
            if value is None or "\n" in value:
                why = "is not set" if value is None else "has more than one line"
                log.warning("variable not passed on", agent=agent.name, variable=name, why=why)
            else:
                usable.append(name)
        return usable
