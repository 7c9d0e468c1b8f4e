"""Against which of our contracts a person wrote each of theirs: a copy of it, kept beside since theirs was first seen."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bot.agents.personas import Comparison, Footing
from bot.config.places import Places
from bot.errors import UserError
from fleet.personas.contracts import shipped_contract
from fleet.personas.persona import own_files
from fleet.personas.three_way import bring, unified
from fleet.private_files import write_private


def shipped_text(agent_class: str) -> str:
    """Return a whole shipped file, nothing when the library has no such class."""
    contract = shipped_contract(agent_class)
    return "" if contract is None else contract.text


@dataclass(frozen=True, slots=True)
class Baselines:
    """The copies lie in ``fleet/roles.local/.baseline``; an empty one says that we shipped none.

    ``shipped`` gives the text that ships now, nothing for none.
    """

    places: Places
    shipped: Callable[[str], str] = shipped_text

    def note(self) -> None:
        """Keep the baseline of each own file that is seen for the first time."""
        for path in own_files(self.places):
            if not self._copy(path.stem).exists():
                self.renew(path.stem)

    def forget(self) -> None:
        """Let go of copies whose own file is gone. At a start only: an editor may replace a file in two steps."""
        there = {path.name for path in own_files(self.places)}
        for copy in self._directory.glob("*.md"):
            if copy.name not in there:
                copy.unlink(missing_ok=True)

    def renew(self, agent_class: str) -> None:
        """Take what ships now as the baseline; UserError when it cannot be written down."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._copy(agent_class), self.shipped(agent_class))
        except OSError as error:
            raise UserError(f"{self._directory} cannot be written: {error.strerror}") from error

    def footing(self, agent_class: str) -> Footing:
        """Return how an own file that can be used stands to what ships now."""
        then, now = self._then(agent_class), self.shipped(agent_class)
        if then is not None and then != now:
            return Footing.CHANGED
        return Footing.SAME if now else Footing.OWN

    def compare(self, agent_class: str, path: Path) -> Comparison:
        """Return what a changed baseline would bring to an own file; UserError when that cannot be read."""
        now = self.shipped(agent_class)
        kept = self._then(agent_class)
        then = now if kept is None else kept
        try:
            theirs = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}:1: cannot be read: {error}") from error
        shipped = f"fleet/roles/{agent_class}.md"
        brought, collisions = bring(theirs, then, now)
        return Comparison(
            agent_class,
            path,
            self.footing(agent_class),
            brings=unified(theirs, brought, (str(path), f"{path} with what {shipped} brings")),
            since=unified(then, now, (f"{shipped} then", f"{shipped} now")),
            own=unified(then, theirs, (f"{shipped} then", str(path))),
            collisions=collisions,
            known=kept is not None,
        )

    @property
    def _directory(self) -> Path:
        return self.places.local_roles_directory / ".baseline"

    def _copy(self, agent_class: str) -> Path:
        return self._directory / f"{agent_class}.md"

    def _then(self, agent_class: str) -> str | None:
        try:
            return self._copy(agent_class).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None
