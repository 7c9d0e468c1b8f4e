"""A `systemctl` for tests, at the wire: a program on PATH that keeps what it is told in a directory.

It knows the words that we say, and refuses all others as the real one does. Units that are in ``active`` run.
"""

from pathlib import Path

_PROGRAM = """#!/bin/sh
state={state}
echo "$*" >>"$state/calls"
[ "$1" = --user ] || exit 64
verb=$2
shift 2
case $verb in
daemon-reload) ;;
enable) for unit; do touch "$state/enabled/$unit"; done ;;
disable) for unit; do rm -f "$state/enabled/$unit"; done ;;
show)
    shift
    for unit; do
        [ -e "$state/active/$unit" ] && active=active || active=inactive
        [ -e "$state/enabled/$unit" ] && enabled=enabled || enabled=disabled
        printf 'Id=%s\\nActiveState=%s\\nUnitFileState=%s\\n\\n' "$unit" "$active" "$enabled"
    done
    ;;
*) echo "Unknown command verb '$verb'." >&2; exit 1 ;;
esac
"""


class Systemctl:
    """What the program was told, and which units run."""

    def __init__(self, directory: Path) -> None:
        self._state = directory / "state"
        for name in ("enabled", "active"):
            (self._state / name).mkdir(parents=True)
        self.programs = directory / "programs"
        self.programs.mkdir()
        program = self.programs / "systemctl"
        program.write_text(_PROGRAM.format(state=self._state))
        program.chmod(0o755)

    def calls(self) -> list[str]:
        """Return every call's words, in order."""
        path = self._state / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def enabled(self) -> set[str]:
        """Return the units that are started at boot."""
        return {path.name for path in (self._state / "enabled").iterdir()}

    def activate(self, unit: str) -> None:
        """Let a unit run."""
        (self._state / "active" / unit).touch()
