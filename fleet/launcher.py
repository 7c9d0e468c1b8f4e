"""What runs first in an agent's pane: reads its environment file and becomes the runtime.

``python -m fleet.launcher FILE PROGRAM ARGUMENT…``. Secrets stay in the file: neither the command line nor
tmux ever holds them. Only the standard library is imported, since an agent starts as often as a shell.
"""

import os
import re
import sys
from pathlib import Path

_LINE = re.compile(r'^([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"$')
_SPECIAL = re.compile(r'(["\\`$])')
_ESCAPED = re.compile(r"\\(.)")


def write_environment(values: dict[str, str]) -> str:
    """Return an environment file's text, in the quoting of systemd.exec(5) EnvironmentFile."""
    return "".join(f'{name}="{_SPECIAL.sub(_escape, value)}"\n' for name, value in values.items())


def _escape(found: re.Match[str]) -> str:
    return "\\" + found[1]


def read_environment(text: str) -> dict[str, str]:
    """Return what ``write_environment`` wrote; comments and empty lines are passed over.

    Raises ValueError for a line of another form, naming its number and nothing of its content.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.match(line)
        if found is None:
            raise ValueError(f'line {number} is not NAME="value"')
        values[found[1]] = _ESCAPED.sub(r"\1", found[2])
    return values


def main() -> None:
    """Become the runtime; the exit status is 127 when it cannot be started, with the reason on the screen."""
    file, program, *arguments = sys.argv[1:]
    environment = dict(os.environ) | read_environment(Path(file).read_text(encoding="utf-8"))
    try:
        os.execvpe(program, [program, *arguments], environment)  # noqa: S606 - no shell is the point
    except OSError as error:
        # tmux scrolls a dead pane by one row to write its own words below.
        sys.stderr.write(f"\n{program} cannot be started: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
