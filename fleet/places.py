"""Where the fleet keeps its files below MOSAIC_HOME (spec 3-contracts, Places)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one installation's fleet. ``home`` is MOSAIC_HOME."""

    home: Path

    @property
    def roster(self) -> Path:
        """The roster, written by people."""
        return self.home / "fleet" / "roster.yaml"

    @property
    def run(self) -> Path:
        """What is only worth something while agents run."""
        return self.home / "fleet" / "run"

    @property
    def last_good_roster(self) -> Path:
        """The roster that was last accepted: what the fleet goes on with while the file is wrong."""
        return self.run / "roster.last-good.yaml"

    def environment(self, name: str) -> Path:
        """Return the path of an agent's generated environment, mode 0600."""
        return self.home / "fleet" / "agents" / f"{name}.env"

    def identity(self, name: str) -> Path:
        """Return the path of an agent's token file (its MOSAIC_AGENT_FILE), mode 0600."""
        return self.home / "fleet" / "agents" / f"{name}.json"

    def heartbeat(self, name: str) -> Path:
        """Return the path of an agent's heartbeat: one JSON object, replaced by rename."""
        return self.run / f"{name}.hb"

    def events(self, name: str) -> Path:
        """Return the path of what an agent's runtime says of its turns: JSON lines, only ever added to."""
        return self.run / f"{name}.events"

    def offset(self, name: str) -> Path:
        """Return the path of the note on how far that file's answers were passed on."""
        return self.run / f"{name}.offset"

    def lock(self, name: str) -> Path:
        """Return the path of the lock of whoever types into an agent's pane."""
        return self.run / f"{name}.lock"

    def prepare(self) -> None:
        """Make the directories, readable by nobody else."""
        for path in (self.home / "fleet", self.home / "fleet" / "agents", self.run):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Replace a file by rename; it is never readable by others, not even for a moment."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
