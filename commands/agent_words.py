"""Words of agents' commands: the arguments that several of them take."""

from typing import Annotated

from pydantic import Field

from bot.command.declare import Help

_NAME = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")

AgentName = Annotated[str, _NAME, Help("an agent's name in the roster")]
OneOrAll = Annotated[
    str | None, _NAME, Help("an agent's name in the roster; without one, all of this host")
]
