"""Who is in the fleet: agents added, changed and removed in roster.yaml."""

from typing import Annotated, Any

from pydantic import Field

from bot.agents.rosters import Rosters
from bot.agents.units import Units
from bot.command.declare import OPERATORS, Call, Effect, Help, Names, Subject, command, topic
from bot.errors import UsageError
from bot.reply import Reply, Text
from commands.agent_words import AgentName

Class = Annotated[
    str,
    Field(min_length=1, max_length=64),
    Names(Subject.PERSONA),
    Help("the persona that it plays"),
]
Runtime = Annotated[
    str,
    Field(min_length=1, max_length=32),
    Help("its program: claude, codex, opencode, pi, gemini, …"),
]
Model = Annotated[str, Field(max_length=200), Help("the model, in the program's own words")]
Directory = Annotated[str, Field(max_length=1000), Help("where it works; ~ is your home")]
Command = Annotated[str, Field(max_length=2000), Help("replaces the program's own start line")]
Host = Annotated[str, Field(max_length=64), Help("the host where it runs")]
Alias = Annotated[str, Field(max_length=64), Help("a friendly name in chat")]
Superior = Annotated[
    str, Field(max_length=64), Names(Subject.AGENT), Help("the agent to whom it reports")
]
Yolo = Annotated[bool, Help("let it act without asking, in the program's own way")]
_NAMED = {"class_": "class", "model": "model_hint"}


@topic("fleet")
class RosterCommands:
    """The roster's commands (spec 3-contracts, Fleet and agents). The fleet follows the file."""

    def __init__(self, rosters: Rosters, units: Units) -> None:
        self._rosters = rosters
        self._units = units

    @command("add", roles=OPERATORS, effect=Effect.WRITE)
    async def add(
        self,
        call: Call,
        name: AgentName,
        *,
        class_: Class,
        runtime: Runtime,
        model: Model | None = None,
        working_directory: Directory | None = None,
        yolo: Yolo = False,
        command: Command | None = None,
        host: Host | None = None,
        alias: Alias | None = None,
        reports_to: Superior | None = None,
    ) -> Reply:
        """Add an agent to the roster; it is started at once, and at boot where units are installed."""
        said = _said(
            class_=class_,
            runtime=runtime,
            model=model,
            working_directory=working_directory,
            yolo=yolo or None,
            command=command,
            host=host,
            alias=alias,
            reports_to=reports_to,
        )
        agent = {"name": name, **said}
        await self._rosters.add(agent)
        await self._units.enable(name)
        return Reply(agent, (Text(f"{name} is in the roster."),))

    @command("edit", roles=OPERATORS, effect=Effect.WRITE)
    async def edit(
        self,
        call: Call,
        name: AgentName,
        *,
        class_: Class | None = None,
        runtime: Runtime | None = None,
        model: Model | None = None,
        working_directory: Directory | None = None,
        yolo: Yolo | None = None,
        command: Command | None = None,
        host: Host | None = None,
        alias: Alias | None = None,
        reports_to: Superior | None = None,
    ) -> Reply:
        """Change an agent in the roster; it is started anew when that matters. An empty value takes a key away."""
        said = _said(
            class_=class_,
            runtime=runtime,
            model=model,
            working_directory=working_directory,
            yolo=yolo,
            command=command,
            host=host,
            alias=alias,
            reports_to=reports_to,
        )
        if not said:
            raise UsageError(
                "nothing to change; say one of --class, --runtime, --model, --working-directory, …"
            )
        changes = {key: None if value == "" else value for key, value in said.items()}
        await self._rosters.edit(name, changes)
        return Reply(
            {"name": name, "changed": changes}, (Text(f"{name}: {', '.join(changes)} changed."),)
        )

    @command(
        "remove",
        roles=OPERATORS,
        effect=Effect.WRITE,
        confirm="This takes the agent out of the roster and ends its session, with what it is working on.",
    )
    async def remove(self, call: Call, name: AgentName) -> Reply:
        """Take an agent out of the roster: its session ends, and no boot starts it again."""
        await self._rosters.remove(name)
        await self._units.disable(name)
        return Reply({"removed": name}, (Text(f"{name} is out of the roster."),))


def _said(**values: Any) -> dict[str, Any]:
    """Return what was said, by the roster's own keys."""
    return {_NAMED.get(key, key): value for key, value in values.items() if value is not None}
