"""The file of a contract: front matter that says what programs ask of a class, then the words that its agents read.

Between two lines ``---`` at the top may stand, each key or none::

    class: code
    domain: engineering          # the shelf of the library on which it stands
    persistent_persona: false    # keeps its conversation over tasks
    takes_cards: true            # is handed cards that name no class, too
    model_tier: large            # small, medium or large: which model is enough
    tools: [git, mosaic]         # programs without which it cannot work
"""

import re
import stat
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.errors import UserError
from fleet.roster.document import Word
from fleet.strict_yaml import read_strictly

_FENCE = "---"
_LONGEST = 64 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# A program is told its contract on its start line or in its terminal, where these do other things than stand there.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
Tier = Literal["small", "medium", "large"]


class FrontMatter(BaseModel):
    """What stands between the two lines; what a file does not say is taken from the one below it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    agent_class: Word | None = Field(None, alias="class")
    domain: Annotated[str, Field(pattern=r"^[a-z][a-z-]{0,63}$")] | None = None
    persistent_persona: bool | None = None
    takes_cards: bool | None = None
    model_tier: Tier | None = None
    tools: tuple[Word, ...] | None = None

    @field_validator("tools", mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Contract:
    """One file: ``text`` is all of it, ``words`` what an agent is told (nothing when it is front matter alone)."""

    source: str
    matter: FrontMatter
    words: str
    text: str


def read_contract(path: Path) -> Contract | None:
    """Return a person's own contract, None when there is none; UserError ``PATH:LINE: …`` when it cannot be used."""
    if not _NAME.fullmatch(path.stem):
        raise UserError(f"{path}:1: {path.stem!r} is no name of a class: {_NAME.pattern}")
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise UserError(f"{path}:1: is no file")
        if facts.st_size > _LONGEST:
            raise UserError(f"{path}:1: longer than {_LONGEST} bytes")
        text = _decode(path.read_bytes(), path)
    except FileNotFoundError as error:
        if path.is_symlink():
            raise UserError(f"{path}:1: leads to no file") from error
        return None
    except OSError as error:
        raise UserError(f"{path}:1: cannot be read: {error.strerror}") from error
    return parse_contract(text, str(path), path.stem)


@lru_cache(maxsize=256)
def shipped_contract(agent_class: str) -> Contract | None:
    """Return the contract that ships with the package, None when the library has no such class."""
    path = files("fleet.roles") / f"{agent_class}.md"
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    return parse_contract(text, f"fleet/roles/{agent_class}.md", agent_class)


@lru_cache(maxsize=256)
def parse_contract(text: str, source: str, agent_class: str) -> Contract:
    """Split a file; UserError ``SOURCE:LINE: …`` for front matter that cannot be used."""
    if not text.strip():
        raise UserError(f"{source}:1: the file is empty")
    first, *lines = text.split("\n")
    if first.rstrip() != _FENCE:
        return Contract(source, FrontMatter(), text, text)
    ends = [at for at, line in enumerate(lines) if line.rstrip() == _FENCE]
    if not ends:
        raise UserError(f"{source}:1: the front matter has no end: a second line {_FENCE}")
    # The empty line stands for the first fence: the numbers of the lines are those of the file.
    said = "\n".join(("", *lines[: ends[0]]))
    words = "\n".join(lines[ends[0] + 1 :]).lstrip("\n")
    matter = _front_matter(said, source, agent_class) if said.strip() else FrontMatter()
    return Contract(source, matter, words, text)


def _front_matter(said: str, source: str, agent_class: str) -> FrontMatter:
    matter = read_strictly(
        said, source, FrontMatter, what="front matter", begins=f"class: {agent_class}"
    )
    if matter.agent_class not in {None, agent_class}:
        rows = enumerate(said.split("\n"), start=1)
        line = next((at for at, row in rows if "class" in row), 1)
        raise UserError(f"{source}:{line}: class: must be {agent_class}, as the file is named")
    return matter


def _decode(raw: bytes, path: Path) -> str:
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8") from error
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise UserError(f"{path}:{line}: a control character ({found[0]!r})")
    return text
