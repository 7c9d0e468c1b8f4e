"""roster.yaml as a file: every refusal names the line and what is allowed."""

import json
from pathlib import Path

from bot.errors import SetupError, UserError
from fleet.roster.document import Roster
from fleet.strict_yaml import read_strictly


def load(path: Path) -> Roster:
    """Read a roster; SetupError ``PATH:LINE: …`` when it cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SetupError(f"{path}:1: there is no roster", hint="mosaic fleet init") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}:1: cannot be read: {error}") from error
    try:
        return parse(text, str(path))
    except UserError as error:
        raise SetupError(error.message, hint=error.hint) from error


def parse(text: str, source: str) -> Roster:
    """Return the roster that a text holds; UserError ``SOURCE:LINE: …`` for everything wrong in it, a line each."""
    return read_strictly(text, source, Roster, what="a roster", begins="version: 1")


DEMO_AGENTS = ("orchestrator", "enhancer")


def demo_roster(socket_name: str) -> str:
    """Return the roster of a newcomer: two dogfood agents on a tmux socket of their own."""
    agents = "".join(
        f"  - {{name: {name}, class: {name}, runtime: dogfood}}\n" for name in DEMO_AGENTS
    )
    return (
        "# Who is in the fleet. `mosaic fleet list` reads it back to you.\n"
        "version: 1\n"
        "transport: tmux\n"
        f"tmux: {{socket_name: {socket_name}, holder_session: _holder}}\n"
        f"agents:\n{agents}"
    )


def schema_text() -> str:
    """Return the JSON Schema that ships as ``fleet/roster.schema.json``, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(schema | Roster.model_json_schema(), indent=2, sort_keys=True) + "\n"
