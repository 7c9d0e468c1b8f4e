"""What an agent is told to be: its class's contract, ours or a person's own, with what programs ask of the class.

``fleet/roles/CLASS.md`` ships with the package (the library), ``fleet/roles.local/CLASS.md`` is a person's own and
wins. The form of both is that of ``fleet.personas.contracts``; ours have the sections Mandate, Boundaries and Persona.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.config.places import Places
from bot.errors import UserError
from fleet.personas.contracts import Contract, Tier, read_contract, shipped_contract

GENERAL = "general"
"""What a class is that nobody describes; no class of the library itself."""


@dataclass(frozen=True, slots=True)
class Persona:
    """One class of agents. ``contract`` is what they are told, ``source`` the file (or files) that say it.

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


def persona(agent_class: str, places: Places) -> Persona:
    """Return the persona of a class; one that nobody describes has the class ``general``."""
    own, refused = _own(agent_class, places)
    if own is not None or shipped_contract(agent_class) is not None:
        return _joined(agent_class, own, refused)
    general, also_refused = _own(GENERAL, places)
    said = dict.fromkeys(one for one in (refused, also_refused) if one is not None)
    return _joined(GENERAL, general, "\n".join(said) or None)


def known_classes(places: Places) -> frozenset[str]:
    """Return every class that has a contract of its own, shipped or a person's."""
    own = {path.stem for path in own_files(places) if _own(path.stem, places)[0] is not None}
    return frozenset({*shipped_classes(), GENERAL, *own})


def shipped_classes() -> tuple[str, ...]:
    """Return the library's classes in the order of the alphabet."""
    names = (path.name for path in files("fleet.roles").iterdir() if path.name.endswith(".md"))
    return tuple(sorted({name.removesuffix(".md") for name in names} - {GENERAL}))


def own_files(places: Places) -> tuple[Path, ...]:
    """Return a person's own files, usable or not, in the order of the alphabet."""
    return tuple(sorted(places.local_roles_directory.glob("*.md")))


def refusals(places: Places) -> Iterator[str]:
    """Yield a line ``PATH:LINE: …`` for each fault of a person's own files; the shipped ones are used instead."""
    for path in own_files(places):
        refused = _own(path.stem, places)[1]
        if refused is not None:
            yield from refused.split("\n")


def _own(agent_class: str, places: Places) -> tuple[Contract | None, str | None]:
    """Return a person's own contract, or what is wrong with it."""
    try:
        return read_contract(places.local_roles_directory / f"{agent_class}.md"), None
    except UserError as error:
        return None, error.message


def _joined(agent_class: str, own: Contract | None, refused: str | None) -> Persona:
    """Return a persona with the first file's words, and of each value the first that is given."""
    shipped, general = shipped_contract(agent_class), shipped_contract(GENERAL)
    if general is None:
        raise AssertionError(f"the package lacks {GENERAL}.md")
    found = [file for file in (own, shipped, general) if file is not None]
    values: dict[str, Any] = {}
    for file in found:
        values = file.matter.model_dump(exclude_none=True) | values
    values |= {"agent_class": agent_class}
    speaks = next(file for file in found if file.words.strip())
    sources = dict.fromkeys((found[0].source, speaks.source))
    return Persona(**values, contract=speaks.words, source=" + ".join(sources), refused=refused)
