"""The port Personas: the library that ships, with a person's own files over it."""

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

from bot.agents.personas import Comparison, Description, Footing
from bot.config.places import Places
from bot.errors import UserError
from fleet.personas.baselines import Baselines, shipped_text
from fleet.personas.persona import GENERAL, known_classes, own_files, persona
from fleet.personas.persona import refusals as persona_refusals
from fleet.private_files import write_private

_CLASS_LINE = re.compile(r"^class:.*$", re.MULTILINE)


class LocalPersonas:
    """Read from the files at each question anew. ``shipped`` gives a text that ships, nothing for none."""

    def __init__(self, places: Places, shipped: Callable[[str], str] = shipped_text) -> None:
        self._places = places
        self._shipped = shipped
        self._baselines = Baselines(places, shipped)

    def classes(self) -> Sequence[Description]:
        """Return every class that is described, by domain and name."""
        found = (self.describe(one) for one in known_classes(self._places) - {GENERAL})
        return sorted(found, key=lambda one: (one.domain, one.agent_class))

    def describe(self, agent_class: str) -> Description:
        """Return one class; UserError for one that nobody describes."""
        found = persona(agent_class, self._places)
        if found.agent_class != agent_class:
            raise self._unknown(agent_class, found.refused)
        return Description(
            agent_class=found.agent_class,
            domain=found.domain,
            persistent_persona=found.persistent_persona,
            takes_cards=found.takes_cards,
            model_tier=found.model_tier,
            tools=found.tools,
            source=found.source,
            contract=found.contract,
            footing=self._footing(agent_class, found.refused),
            refused=found.refused,
        )

    def refusals(self) -> Sequence[str]:
        """Return what is wrong with a person's own files."""
        return tuple(persona_refusals(self._places))

    def compare(self, agent_class: str) -> Comparison:
        """Return what a changed baseline would bring to the own file, if there is one."""
        path = self._path(agent_class)
        if path not in own_files(self._places):
            self.describe(agent_class)
            return Comparison(agent_class, path, Footing.SHIPPED)
        return self._baselines.compare(agent_class, path)

    def copy(self, agent_class: str, name: str) -> Path:
        """Write an own file that says what ships now, and note that as its baseline."""
        text, path = self._shipped(agent_class), self._path(name)
        if not text:
            raise self._unknown(agent_class, None)
        if path.exists() or path.is_symlink():
            raise UserError(f"{path} is there already", hint=f"fleet personas diff {name}")
        if name != agent_class and self._shipped(name):
            raise UserError(f"as: the library has a class {name} already; choose another name")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, _CLASS_LINE.sub(f"class: {name}", text, count=1))
        self._baselines.renew(name)
        return path

    def acknowledge(self, agent_class: str) -> None:
        """Take what ships now as the own file's baseline."""
        path = self._path(agent_class)
        if path not in own_files(self._places):
            raise UserError(f"there is no {path}", code="not_found")
        self._baselines.renew(agent_class)

    def _path(self, agent_class: str) -> Path:
        return self._places.local_roles_directory / f"{agent_class}.md"

    def _footing(self, agent_class: str, refused: str | None) -> Footing:
        if refused is not None:
            return Footing.REFUSED
        there = self._path(agent_class).exists()
        return self._baselines.footing(agent_class) if there else Footing.SHIPPED

    def _unknown(self, agent_class: str, refused: str | None) -> UserError:
        if refused is not None:
            return UserError(refused, code="wrong_file")
        near = get_close_matches(agent_class, known_classes(self._places), n=3)
        meant = f"; near: {', '.join(near)}" if near else ""
        return UserError(
            f"name: there is no class {agent_class}{meant}",
            code="not_found",
            hint="fleet personas lists them",
        )
