"""The port Personas in memory."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.agents.personas import Comparison, Description, Footing
from bot.errors import UserError

DIRECTORY = Path("roles.local")


class MemoryPersonas:
    """Two classes that ship; own files are remembered by their names."""

    def __init__(self) -> None:
        self._shipped = {
            name: Description(
                name, "engineering", False, True, "large", ("git",), f"fleet/roles/{name}.md",
                f"# {name}\n", Footing.SHIPPED,
            )
            for name in ("code", "review")
        }  # fmt: skip
        self._own: dict[str, Description] = {}

    def classes(self) -> Sequence[Description]:
        found = self._shipped | self._own
        return sorted(found.values(), key=lambda one: (one.domain, one.agent_class))

    def describe(self, agent_class: str) -> Description:
        found = (self._shipped | self._own).get(agent_class)
        if found is None:
            raise UserError(f"name: there is no class {agent_class}", code="not_found")
        return found

    def refusals(self) -> Sequence[str]:
        return ()

    def compare(self, agent_class: str) -> Comparison:
        found = self.describe(agent_class)
        return Comparison(agent_class, DIRECTORY / f"{agent_class}.md", found.footing)

    def copy(self, agent_class: str, name: str) -> Path:
        if agent_class not in self._shipped:
            raise UserError(f"name: there is no class {agent_class}", code="not_found")
        path = DIRECTORY / f"{name}.md"
        if name in self._own:
            raise UserError(f"{path} is there already")
        if name != agent_class and name in self._shipped:
            raise UserError(f"as: the library has a class {name} already; choose another name")
        footing = Footing.SAME if name in self._shipped else Footing.OWN
        copied = replace(self._shipped[agent_class], agent_class=name)
        self._own[name] = replace(copied, source=str(path), footing=footing)
        return path

    def acknowledge(self, agent_class: str) -> None:
        if agent_class not in self._own:
            raise UserError(f"there is no {DIRECTORY / agent_class}.md", code="not_found")
