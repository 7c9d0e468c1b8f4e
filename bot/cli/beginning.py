"""``mosaic fleet init``: a fleet to begin with, written without a daemon."""

import asyncio
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.agents.provisioning import Provision, Wishes
from bot.cli.wishes import Answers
from bot.config.places import Places, default_socket_name
from bot.config.settings import load_settings
from bot.errors import SetupError, UsageError, UserError
from fleet.host.provisioning import make_provision
from fleet.personas.tiers import Models
from fleet.profiles.library import profiles
from fleet.roster.file import demo_roster, parse
from fleet.roster.store import RosterStore

DEMO = "demo"
DOGFOOD = "dogfood"
_STAND_INS = {
    "homeserver_url": "http://127.0.0.1:8008",
    "user_id": "@mosaic:mosaic.local",
    "room_id": "!room:mosaic.local",
}


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is to be written. ``settings`` is the new text of mosaic.toml, None when it stays as it is.

    ``provision`` is None for the demo; ``notes`` say what a person has to do by hand.
    """

    answers: Answers
    roster: str
    agents: tuple[str, ...]
    settings: str | None
    provision: Provision | None
    notes: tuple[str, ...]


def known_profiles(places: Places) -> tuple[str, ...]:
    """Return what ``--profile`` may be: the demo, and every profile."""
    return (DEMO, *(one.id for one in profiles(places)))


def models_of(places: Places, environ: Mapping[str, str]) -> Models:
    """Return what the tiers mean in this home; SetupError when its settings cannot be read."""
    return Models(load_settings(places, environ).models.said, environ.get("PATH"))


def make_beginning(places: Places, answers: Answers, environ: Mapping[str, str]) -> Beginning:
    """Return what the answers make, and write nothing.

    UsageError names what is allowed; UserError when there is a roster already that may be neither replaced nor
    added to.
    """
    _check(places, answers)
    configured = load_settings(
        places, environ
    )  # a broken file is said before anything is asked of it
    there = places.roster_file.exists()
    if there and not (answers.force or answers.add):
        raise UserError(
            f"{places.roster_file}:1: there is a roster already",
            hint="--add adds what is missing, --force replaces it",
        )
    base = _read(places.roster_file) if there and answers.add else _base(places, answers, environ)
    provision = None
    if answers.profile != DEMO:
        provision = make_provision(
            answers.profile,
            base,
            Wishes(answers.runtime, answers.working_directory if answers.add else None),
            places=places,
            models=Models(configured.models.said, environ.get("PATH")),
            host=configured.host.name,
        )
        base = provision.roster
    agents = tuple(one.name for one in parse(base, str(places.roster_file)).agents)
    settings, notes = with_operators(places, answers.operators)
    return Beginning(answers, base, agents, settings, provision, (*notes, *_advice(answers)))


def _advice(answers: Answers) -> tuple[str, ...]:
    if answers.connector != "discord":
        return ()
    return ("`mosaic connector discord` leads the bot into a channel, and tests it",)


def write_beginning(places: Places, beginning: Beginning) -> dict[str, Any]:
    """Write it, whole or not at all for each file, and return where it is and whom it names."""
    places.prepare()
    if beginning.answers.add and places.roster_file.exists():
        asyncio.run(RosterStore(places).change(lambda _: beginning.roster))
    else:
        _replace(places.roster_file, beginning.roster)
    if beginning.settings is not None:
        write_settings(places, beginning.settings)
    return {
        "roster": str(places.roster_file),
        "agents": list(beginning.agents),
        "profile": beginning.answers.profile,
        "settings": None if beginning.settings is None else str(places.settings_file),
        "notes": list(beginning.notes),
    }


def _check(places: Places, answers: Answers) -> None:
    known = known_profiles(places)
    if answers.profile not in known:
        raise UsageError(
            f"--profile: {answers.profile!r} is not allowed; allowed: {', '.join(known)}"
        )
    directory = answers.working_directory
    if directory is not None and not Path(directory).expanduser().is_dir():
        raise UsageError(f"--working-directory: {directory} is not a directory")
    if answers.profile == DEMO and answers.add:
        raise UsageError("--add needs a --profile, and the demo is none")
    if answers.profile == DEMO and answers.runtime not in {None, DOGFOOD}:
        raise UsageError("--runtime needs a --profile: the demo is two dogfood agents")


def _base(places: Places, answers: Answers, environ: Mapping[str, str]) -> str:
    """Return the roster without agents, or the demo's."""
    socket_name = default_socket_name(places, environ)
    head, _, agents = demo_roster(socket_name).partition("agents:\n")
    if answers.working_directory is not None:
        head += f"defaults: {{working_directory: {json.dumps(answers.working_directory)}}}\n"
    head += _connector(answers)
    return f"{head}agents:\n{agents}" if answers.profile == DEMO else f"{head}agents: []\n"


def _connector(answers: Answers) -> str:
    kind, said = answers.connector or "tmux", answers.connector_keys
    if kind == "matrix":
        keys = {**_STAND_INS, **said}
        whose = (
            ""
            if set(_STAND_INS) <= set(said)
            else "   # put your own homeserver, account and room here"
        )
        return f"connector:{whose}\n  kind: matrix\n  matrix: {json.dumps(keys)}\n"
    if kind == "discord" and not said:
        return "connector: {kind: discord}   # guild_id and channel_id come from mosaic.toml\n"
    inner = f", {kind}: {json.dumps(said)}" if said else ""
    return f"connector: {{kind: {kind}{inner}}}\n"


def with_operators(places: Places, operators: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """Return mosaic.toml with the operators, or None and what a person must write there."""
    if not operators:
        return None, ()
    return with_section(places, "access", f"operators = {json.dumps(list(operators))}")


def with_section(places: Places, name: str, line: str) -> tuple[str | None, tuple[str, ...]]:
    """Return mosaic.toml with one more section of one line, or None and what a person must write in that which is there.

    What is in the file is never changed, since people write comments beside it. The file must be valid.
    """
    text = _read(places.settings_file) if places.settings_file.exists() else ""
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    longer = f"{text}{gap}[{name}]\n{line}\n"
    try:
        tomllib.loads(longer)
    except tomllib.TOMLDecodeError:  # in whatever of TOML's ways the section is there
        return None, (f"{places.settings_file} has [{name}] already; say there: {line}",)
    return longer, ()


def write_settings(places: Places, text: str) -> None:
    """Replace mosaic.toml."""
    _replace(places.settings_file, text)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}:1: cannot be read: {error}") from error


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
