"""Who is in the fleet: roster.yaml, version 1 (spec 3-contracts, Roster; 1-systems, row 9)."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fleet.roster.budget import Budget

RuntimeName = Literal[
    "claude", "codex", "opencode", "pi", "gemini", "dogfood", "python", "bash", "generic"
]
ConnectorKind = Literal["tmux", "matrix", "discord"]

# A dot and a colon mean something in a tmux target, an underscore in front marks our own sessions.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
SocketName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$")]

ORCHESTRATOR = "orchestrator"
FLOOR = (ORCHESTRATOR, "enhancer")
"""The floor of a roster that names none (spec 1-systems, row 15)."""

_SECRETS = re.compile(r"DATABASE_URL$|MATRIX_|DISCORD_")
_OURS = re.compile(r"MOSAIC_(HOME|AGENT_.*)$")


def _one_line(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError("must be one line without control characters")
    return text


Line = Annotated[str, AfterValidator(_one_line)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TmuxBlock(_Block):
    """The socket. Without a name it is tmux's default one, and no call has -L."""

    socket_name: SocketName | None = None
    holder_session: Annotated[str, Field(pattern=r"^_[A-Za-z0-9_-]{1,63}$")] = "_holder"


class Defaults(_Block):
    """What an agent takes that says nothing itself."""

    working_directory: Line | None = None


class MatrixBlock(_Block):
    """Where the bot lives on Matrix; its token comes from the environment."""

    homeserver_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$")]
    user_id: Annotated[str, Field(pattern=r"^@[^:\s]+:\S+$")]
    room_id: Annotated[str, Field(pattern=r"^[!#]\S+$")]


class DiscordBlock(_Block):
    """Where the bot lives on Discord; what is not said here comes from mosaic.toml."""

    guild_id: Annotated[str, Field(pattern=r"^\d+$")] | None = None
    channel_id: Annotated[str, Field(pattern=r"^\d+$")] | None = None


class ConnectorBlock(_Block):
    """One way people reach the orchestrator."""

    kind: ConnectorKind
    matrix: MatrixBlock | None = None
    discord: DiscordBlock | None = None

    @model_validator(mode="after")
    def _has_its_settings(self) -> Self:
        if self.kind == "matrix" and self.matrix is None:
            raise ValueError("kind matrix needs a matrix block: homeserver_url, user_id, room_id")
        for other in {"matrix", "discord"} - {self.kind}:
            if getattr(self, other) is not None:
                raise ValueError(f"a {other} block does not belong to kind {self.kind}")
        return self


class Agent(_Block):
    """One agent.

    ``command`` replaces the runtime's own start line; it is split as a shell would split it, but never
    given to one. ``args`` are added as they stand. ``pretrust`` trusts the working directory in Claude
    Code's own file before a start. ``reports_to`` names the agent above it; ``profile`` the system type that
    it belongs to when that is not the fleet's.
    """

    name: Name
    agent_class: Word = Field(alias="class")
    runtime: RuntimeName
    model_hint: Line | None = None
    host: Word | None = None
    ssh: Line | None = None
    socket: SocketName | None = None
    working_directory: Line | None = None
    reset_between_tasks: bool = False
    persistent_persona: bool = False
    yolo: bool = False
    pretrust: bool = False
    command: Line | None = None
    args: tuple[Line, ...] = ()
    env: dict[VariableName, Line] = Field(default_factory=dict)
    env_from: tuple[VariableName, ...] = ()
    channels: tuple[Line, ...] = ()
    alias: Line | None = None
    context_tokens: Annotated[int, Field(ge=1000)] | None = None
    reports_to: Name | None = None
    profile: Word | None = None
    budget: Budget | None = None

    @field_validator("args", "env_from", "channels", mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("command")
    @classmethod
    def _splits(cls, command: str | None) -> str | None:
        if command is not None and not shlex.split(command):
            raise ValueError("must name a program")
        return command

    @field_validator("env_from")
    @classmethod
    def _passes_no_secret_of_ours(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if _SECRETS.match(name) or name.startswith("MOSAIC_"):
                raise ValueError(
                    f"{name} is never given to an agent"
                    " (nor any of DATABASE_URL, MATRIX_*, DISCORD_*, MOSAIC_*)"
                )
        return names

    @field_validator("env")
    @classmethod
    def _sets_nothing_of_ours(cls, values: dict[str, str]) -> dict[str, str]:
        for name in values:
            if _SECRETS.match(name) or _OURS.match(name):
                raise ValueError(f"{name} cannot be set in a roster")
        return values

    @model_validator(mode="after")
    def _can_be_started(self) -> Self:
        if self.runtime == "generic" and self.command is None:
            raise ValueError("runtime generic needs a command")
        if self.pretrust and self.runtime != "claude":
            raise ValueError("pretrust: true is for runtime claude only")
        return self


class Roster(_Block):
    """The whole file. ``connector`` is the primary one (absent: tmux), ``connectors`` are further ones.

    ``mirror_mail`` shows in the primary place what agents write to each other. ``profile`` is the system type
    that it was made from, ``lead`` the agent to whom people talk (absent: the first of class orchestrator),
    ``floor`` the classes without which the fleet does not work.
    """

    version: Literal[1]
    transport: Literal["tmux"] = "tmux"
    tmux: TmuxBlock = TmuxBlock()
    defaults: Defaults = Defaults()
    connector: ConnectorBlock = ConnectorBlock(kind="tmux")
    connectors: tuple[ConnectorBlock, ...] = ()
    mirror_mail: bool = False
    profile: Word | None = None
    floor: tuple[Word, ...] = FLOOR
    budget: Budget | None = None
    agents: tuple[Agent, ...] = ()
    lead: Name | None = None  # after the agents, whom its check looks at

    @field_validator("connectors", "agents", "floor", mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("agents")
    @classmethod
    def _names_once(cls, agents: tuple[Agent, ...]) -> tuple[Agent, ...]:
        seen: set[str] = set()
        for agent in agents:
            if agent.name in seen:
                raise ValueError(f"two agents are named {agent.name}")
            seen.add(agent.name)
        return agents

    @field_validator("agents")
    @classmethod
    def _stands_in_trees(cls, agents: tuple[Agent, ...]) -> tuple[Agent, ...]:
        above = {agent.name: agent.reports_to for agent in agents}
        for agent in agents:
            if agent.reports_to is not None and agent.reports_to not in above:
                raise ValueError(f"{agent.name}: reports_to: no agent is named {agent.reports_to}")
            if (ring := circle(agent.name, above)) is not None:
                raise ValueError(f"{agent.name}: reports_to goes in a circle: {' → '.join(ring)}")
        return agents

    @field_validator("lead")
    @classmethod
    def _is_there(cls, lead: str | None, facts: ValidationInfo) -> str | None:
        names = [agent.name for agent in facts.data.get("agents", ())]
        if lead is not None and "agents" in facts.data and lead not in names:
            known = ", ".join(names) or "nobody"
            raise ValueError(f"no agent is named {lead}; the roster has: {known}")
        return lead

    @model_validator(mode="after")
    def _kinds_once(self) -> Self:
        kinds = [self.connector.kind, *(block.kind for block in self.connectors)]
        for kind in kinds:
            if kinds.count(kind) > 1:
                raise ValueError(f"connector kind {kind} is named twice")
        return self

    def called(self, name: str) -> Agent | None:
        """Return the agent with this name, or else with this alias."""
        found = (agent for agent in self.agents if agent.name == name)
        aliased = (agent for agent in self.agents if agent.alias == name)
        return next(found, None) or next(aliased, None)

    @property
    def leader(self) -> Agent | None:
        """The agent to whom people talk: the one that ``lead`` names, else the first of class orchestrator."""
        if self.lead is not None:
            return self.called(self.lead)
        return next((one for one in self.agents if one.agent_class == ORCHESTRATOR), None)

    def reports_of(self, name: str) -> tuple[Agent, ...]:
        """Return the agents right below one."""
        return tuple(agent for agent in self.agents if agent.reports_to == name)

    def agents_on(self, host: str) -> tuple[Agent, ...]:
        """Return the agents of one host; one that names no host is everywhere at home."""
        return tuple(agent for agent in self.agents if agent.host in {None, host})

    def working_directory(self, agent: Agent, home: Path) -> Path:
        """Return where an agent works: its own place, the default one, or ``home``; ``~`` is expanded."""
        named = agent.working_directory or self.defaults.working_directory
        return home if named is None else Path(named).expanduser()


def circle(name: str, above: Mapping[str, str | None]) -> tuple[str, ...] | None:
    """Return the circle that somebody stands in, from its name to its name again; None for a way that ends."""
    way = [name]
    while (superior := above.get(way[-1])) is not None and superior not in way:
        way.append(superior)
    return (*way, name) if superior == name else None
