"""What an agent is given to know who it is: its environment file and its token file, both mode 0600."""

import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.places import Places
from fleet.launcher import write_environment
from fleet.private_files import write_private
from fleet.roster import Agent


@dataclass(frozen=True, slots=True)
class Papers:
    """Issues agents' papers and knows them again.

    ``environment`` is the daemon's own, of which an agent gets PATH and what its ``env_from`` names.
    """

    places: Places
    host: str
    environment: Mapping[str, str]

    def issue(self, agent: Agent) -> Path:
        """Write an agent's papers with a new token and return its environment file."""
        self.places.prepare()
        identity = {
            "name": agent.name,
            "host": self.host,
            "socket": str(self.places.api_socket),
            "token": secrets.token_urlsafe(32),
        }
        write_private(self.places.identity_file(agent.name), json.dumps(identity) + "\n")
        path = self.places.environment_file(agent.name)
        write_private(path, write_environment(self._values(agent)))
        return path

    def withdraw(self, name: str) -> None:
        """Make an agent's token worthless; harmless when it has none."""
        self.places.identity_file(name).unlink(missing_ok=True)
        self.places.environment_file(name).unlink(missing_ok=True)

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
