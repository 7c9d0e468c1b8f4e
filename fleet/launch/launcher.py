"""What runs first in an agent's pane: reads its environment file and becomes the runtime.

``python -m fleet.launch.launcher FILE PROGRAM ARGUMENT…``. Secrets stay in the file: neither the command line nor
tmux ever holds them. A ``NAME.local.env`` beside ``NAME.env`` wins over it, and a MOSAIC_AGENT_COMMAND in that
replaces program and arguments. Only the standard library is imported, since an agent starts as often as a shell.
"""

import os
import re
import shlex
import sys
from pathlib import Path

_LINE = re.compile(
    r"""^(?P<name>[A-Za-z_][A-Za-z0-9_]*)=
    (?: "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>[^']*)' | (?P<bare>[^\s"'\\]*) )\s*$""",
    re.VERBOSE,
)
_COMMAND = "MOSAIC_AGENT_COMMAND"
OURS = ("MOSAIC_HOME", "MOSAIC_AGENT_NAME", "MOSAIC_AGENT_FILE")
"""What no file of a person's may set: it says who the agent is."""
_SPECIAL = re.compile(r'(["\\`$])')
_ESCAPED = re.compile(r"\\(.)")


def write_environment(values: dict[str, str]) -> str:
    """Return an environment file's text, in the quoting of systemd.exec(5) EnvironmentFile."""
    return "".join(f'{name}="{_SPECIAL.sub(_escape, value)}"\n' for name, value in values.items())


def _escape(found: re.Match[str]) -> str:
    return "\\" + found[1]


def read_environment(text: str) -> dict[str, str]:
    """Return what stands in a file; comments and empty lines are passed over, quotes are as in a shell.

    Raises ValueError for a line of another form, naming its number and nothing of its content.
    """
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        found = _LINE.match(line)
        if found is None:
            raise ValueError(f'{number}: not NAME="value"')
        quoted = found["double"]
        plain = found["single"] or found["bare"] or ""
        values[found["name"]] = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
    return values


def read_local_environment(path: Path) -> dict[str, str]:
    """Return a person's own additions, none when there is no such file.

    Raises ValueError ``PATH:LINE: …`` for a wrong line, and for a name that is not theirs to set.
    """
    try:
        text = path.read_text(encoding="utf-8")
        values = read_environment(text)
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}:1: not UTF-8") from error
    except ValueError as error:
        raise ValueError(f"{path}:{error}") from error
    for number, line in enumerate(text.splitlines(), start=1):
        name = line.partition("=")[0]
        if name in OURS:
            raise ValueError(f"{path}:{number}: {name} cannot be set here")
    return values


def local_file(path: Path) -> Path:
    """Return the file of a person's own additions to a generated one."""
    return path.with_name(f"{path.stem}.local.env")


def main() -> None:
    """Become the runtime; the exit status is 127 when it cannot be started, with the reason on the screen."""
    file, *words = sys.argv[1:]
    try:
        local = read_local_environment(local_file(Path(file)))
        words = shlex.split(local.pop(_COMMAND, "")) or words
    except ValueError as error:
        sys.stderr.write(f"\n{error}\n")
        sys.exit(127)
    values = read_environment(Path(file).read_text(encoding="utf-8")) | local
    program = words[0]
    try:
        os.execvpe(program, words, dict(os.environ) | values)  # noqa: S606 - no shell is the point
    except OSError as error:
        # tmux scrolls a dead pane by one row to write its own words below.
        sys.stderr.write(f"\n{program} cannot be started: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main()
