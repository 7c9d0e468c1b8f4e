"""Trusting an agent's directory in advance, in Claude Code's own file: only where the roster asks for it."""

import json
from pathlib import Path
from typing import Any

from bot.errors import UserError
from fleet.private_files import write_private

_FILE = ".claude.json"
_TRUSTED = "hasTrustDialogAccepted"


def pretrust(home: Path, directory: Path) -> bool:
    """Mark a directory as trusted in ``home/.claude.json``; false when it was so already.

    Everything else in the file stays. UserError when it is no JSON object, or a link to another file:
    then nothing is written.
    """
    path = home / _FILE
    if path.is_symlink():
        raise UserError(
            f"{path}:1: is a link; pretrust changes no file elsewhere", code="wrong_file"
        )
    known = _read(path)
    projects = known.setdefault("projects", {})
    if not isinstance(projects, dict):
        raise UserError(f"{path}:1: projects: must be an object", code="wrong_file")
    project = projects.setdefault(str(directory), {})
    if not isinstance(project, dict) or project.get(_TRUSTED) is True:
        return False
    project[_TRUSTED] = True
    write_private(path, json.dumps(known, indent=2, ensure_ascii=False) + "\n")
    return True


def _read(path: Path) -> dict[str, Any]:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        line = getattr(error, "lineno", 1)
        raise UserError(f"{path}:{line}: cannot be read as JSON", code="wrong_file") from error
    if not isinstance(known, dict):
        raise UserError(f"{path}:1: must be a JSON object", code="wrong_file")
    return known
