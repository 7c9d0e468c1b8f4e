"""The table of mosaic.toml about rooms: which ones `room setup` makes, and what stands pinned in them."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from bot.config.section import Section, Text

ProjectLine = Annotated[
    str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63} [~/]\S*( \S+)*$")
]


class Rooms(Section):
    """Rooms that `room setup` makes, and the message in them that says how things stand."""

    space: Annotated[Text, Field(min_length=1, max_length=100)] = "Mosaic Fleet"
    """Name of the space that holds the rooms; theirs begin with it."""

    projects: tuple[ProjectLine, ...] = ()
    """Projects with the directory that their agents work in or below, such as `web ~/src/web`; each has a room."""

    avatar: Annotated[Text, Field(pattern=r"^(mxc://[^/\s]+/[^/\s]+)?$")] = ""
    """Picture of new rooms, an address on the homeserver such as `mxc://example.org/abc`; empty is none."""

    encrypted: bool = Field(default=True, strict=True)
    """Make the bot's own rooms encrypted, where it can talk in encrypted ones; rooms that people made are theirs."""

    status: Literal["auto", "always", "never"] = "auto"
    """Where one pinned message says how things stand: in the room that `room setup` took for ops, in the primary room
    in any case, or nowhere."""

    status_seconds: Annotated[float, Field(ge=1, le=86_400, strict=True)] = 30.0
    """The shortest time between two edits of that message; without a change there is none."""

    topic: bool = Field(default=False, strict=True)
    """Say the same in one short line as the room's topic, at most every ten minutes."""

    @field_validator("projects")
    @classmethod
    def _named_once(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        names = [line.partition(" ")[0] for line in lines]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"project {twice[0]} stands there twice")
        return lines

    @property
    def directories(self) -> Mapping[str, Path]:
        """The projects' directories by name; ``~`` is expanded."""
        pairs = (line.split(" ", 1) for line in self.projects)
        return {name: Path(directory).expanduser() for name, directory in pairs}

    @property
    def every(self) -> timedelta:
        """The shortest time between two edits."""
        return timedelta(seconds=self.status_seconds)
