"""What an agent is told to be: its class's contract, with front matter that says what programs ask of it.

``fleet/roles/CLASS.md`` ships with the package, ``fleet/roles.local/CLASS.md`` is a person's own and wins. A
contract has the sections Mandate, Boundaries and Persona; before them may stand, between two lines ``---``::

    class: code
    domain: engineering          # the shelf of the library on which it stands
    persistent_persona: false    # keeps its conversation over tasks
    takes_cards: true            # is handed cards
    model_tier: large            # small, medium or large: which model is enough
    tools: [git, mosaic]         # programs without which it cannot work
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.errors import UserError
from bot.places import Places
from fleet.roster import Word
from fleet.strict_yaml import read_strictly

_GENERAL = "general"
_FENCE = "---"
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
class Persona:
    """One class of agents. ``contract`` is the file without its front matter, ``source`` the file.

    ``refused`` says in one line each what is wrong with a person's own file, which is then not used.
    """

    agent_class: str
    domain: str
    persistent_persona: bool
    takes_cards: bool
    model_tier: Tier
    tools: tuple[str, ...]
    contract: str
    source: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class _File:
    source: str
    matter: FrontMatter
    contract: str


def persona(agent_class: str, places: Places) -> Persona:
    """Return the persona of a class; one that nobody describes has the class ``general``."""
    own, refused = _own(agent_class, places)
    shipped = _shipped(agent_class)
    if own is None and shipped is None and agent_class != _GENERAL:
        found = persona(_GENERAL, places)
        return found if refused is None else _refusing(found, refused)
    general = _shipped(_GENERAL)
    if general is None:
        raise AssertionError(f"the package lacks {_GENERAL}.md")
    files_ = [file for file in (own, shipped, general) if file is not None]
    return _joined(agent_class, files_, refused)


def known_classes(places: Places) -> frozenset[str]:
    """Return every class that has a contract of its own, shipped or a person's."""
    shipped = {path.name.removesuffix(".md") for path in files("fleet.roles").iterdir()}
    own = {path.stem for path in places.local_roles_directory.glob("*.md")}
    return frozenset(one for one in shipped | own if _has_contract(one, places))


def _has_contract(agent_class: str, places: Places) -> bool:
    return _shipped(agent_class) is not None or _own(agent_class, places)[0] is not None


def _joined(agent_class: str, found: list[_File], refused: str | None) -> Persona:
    """Return a persona with the first file's contract, and of each value the first that is given."""
    values: dict[str, Any] = {}
    for file in found:
        values = file.matter.model_dump(exclude_none=True) | values
    values |= {"agent_class": agent_class}
    return Persona(**values, contract=found[0].contract, source=found[0].source, refused=refused)


def _refusing(found: Persona, refused: str) -> Persona:
    both = refused if found.refused is None else f"{refused}\n{found.refused}"
    return replace(found, refused=both)


def _own(agent_class: str, places: Places) -> tuple[_File | None, str | None]:
    """Return a person's own file, or what is wrong with it."""
    path = places.local_roles_directory / f"{agent_class}.md"
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        return _parse(text, str(path), agent_class), None
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return None, f"{path}:1: cannot be read: {error.strerror}"
    except UserError as error:
        return None, error.message


@lru_cache(maxsize=128)
def _shipped(agent_class: str) -> _File | None:
    path = files("fleet.roles") / f"{agent_class}.md"
    if not path.is_file():
        return None
    return _parse(path.read_text(encoding="utf-8"), f"fleet/roles/{agent_class}.md", agent_class)


@lru_cache(maxsize=128)
def _parse(text: str, source: str, agent_class: str) -> _File:
    """Split a file; UserError ``SOURCE:LINE: …`` for front matter that cannot be used."""
    first, *lines = text.split("\n")
    if first.rstrip() != _FENCE:
        return _File(source, FrontMatter(), text)
    ends = [at for at, line in enumerate(lines) if line.rstrip() == _FENCE]
    if not ends:
        raise UserError(f"{source}:1: the front matter has no end: a second line {_FENCE}")
    # The empty line stands for the first fence: the numbers of the lines are those of the file.
    said = "\n".join(("", *lines[: ends[0]]))
    contract = "\n".join(lines[ends[0] + 1 :]).lstrip("\n")
    if not said.strip():
        return _File(source, FrontMatter(), contract)
    matter = read_strictly(
        said, source, FrontMatter, what="front matter", begins=f"class: {agent_class}"
    )
    if matter.agent_class not in {None, agent_class}:
        rows = enumerate(said.split("\n"), start=1)
        line = next((at for at, row in rows if "class" in row), 1)
        raise UserError(f"{source}:{line}: class: must be {agent_class}, as the file is named")
    return _File(source, matter, contract)
