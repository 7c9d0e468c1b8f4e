"""The table of mosaic.toml about files: which are taken, how large, and how long they are kept."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from bot.config.section import Section
from bot.files.rules import TAKEN_TYPES, FileRules

MediaType = Annotated[
    str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9!#$&^_.+-]*/([a-z0-9][a-z0-9!#$&^_.+-]*|\*)$")
]


class Attachments(Section):
    """Files that people send, and that agents attach to their answers."""

    max_bytes: Annotated[int, Field(ge=1, le=1 << 30, strict=True)] = 20 * 1024 * 1024
    """Bytes that one file may have, either way; the homeserver has a limit of its own."""

    folder_bytes: Annotated[int, Field(ge=1, le=1 << 40, strict=True)] = 200 * 1024 * 1024
    """Bytes that all files of one card, or in one agent's inbox, may have together."""

    types: tuple[MediaType, ...] = TAKEN_TYPES
    """Media types that are taken from people, `text/*` for a whole family; an empty list takes nothing."""

    keep_days: Annotated[float, Field(gt=0, le=3650, strict=True)] = 30.0
    """Days for which files in an inbox, of archived or deleted cards, and of agents' answers are kept."""

    gather_seconds: Annotated[float, Field(ge=0, le=60, strict=True)] = 2.0
    """Files that one person sends in a row within this time are told to the agent together."""

    @property
    def rules(self) -> FileRules:
        """What is taken."""
        return FileRules(self.max_bytes, self.folder_bytes, self.types)

    @property
    def keep(self) -> timedelta:
        """How long files are kept."""
        return timedelta(days=self.keep_days)

    @property
    def gather(self) -> timedelta:
        """How long files in a row are gathered."""
        return timedelta(seconds=self.gather_seconds)
