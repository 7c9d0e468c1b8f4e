"""Words of agents' commands: the arguments that several of them take."""

from typing import Annotated

from pydantic import Field

from bot.command.declare import Help, Names, Subject

_NAME = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")

_AGENT = Names(Subject.AGENT)

AgentName = Annotated[str, _NAME, _AGENT, Help("an agent's name in the roster")]
OneOrAll = Annotated[
    str | None, _NAME, _AGENT, Help("an agent's name in the roster; without one, all of this host")
]
