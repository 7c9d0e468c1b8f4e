"""``mosaic fleet init``: a roster to begin with, written without a daemon."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import UsageError, UserError
from bot.places import Places, default_socket_name
from fleet.roster_file import demo_roster, parse

_USAGE = "mosaic fleet init [--profile demo] [--connector tmux|matrix|discord] [--force]"
_PROFILES = ("demo",)
_CONNECTORS = {
    "tmux": "connector: {kind: tmux}\n",
    "matrix": (
        "connector:   # put your own homeserver, account and room here\n"
        "  kind: matrix\n"
        "  matrix: {homeserver_url: 'http://127.0.0.1:8008', user_id: '@mosaic:mosaic.local',"
        " room_id: '!room:mosaic.local'}\n"
    ),
    "discord": "connector: {kind: discord}   # guild_id and channel_id come from mosaic.toml\n",
}


def write_roster(
    places: Places, words: Sequence[str], environ: Mapping[str, str]
) -> dict[str, Any]:
    """Write the roster that the words ask for and return where it is, and what it names.

    UsageError names what is allowed; UserError when there is a roster already, and no ``--force``.
    """
    values = _values(words)
    path = places.roster_file
    if path.exists() and "force" not in values:
        raise UserError(f"{path}:1: there is a roster already", hint="--force replaces it")
    text = demo_roster(default_socket_name(places, environ))
    head, _, agents = text.partition("agents:\n")
    text = f"{head}{_CONNECTORS[values.get('connector', 'tmux')]}agents:\n{agents}"
    roster = parse(text, str(path))
    places.prepare()
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return {"roster": str(path), "agents": [agent.name for agent in roster.agents]}


def _values(words: Sequence[str]) -> dict[str, str]:
    allowed = {"--profile": _PROFILES, "--connector": tuple(_CONNECTORS)}
    values: dict[str, str] = {}
    left = iter(words)
    for word in left:
        flag, given, value = word.partition("=")
        if word == "--force":
            values["force"] = "yes"
        elif flag in allowed:
            said = value if given else next(left, "")
            if said not in allowed[flag]:
                known = ", ".join(allowed[flag])
                raise UsageError(f"{flag}: {said!r} is not allowed; allowed: {known}")
            values[flag.lstrip("-")] = said
        else:
            raise UsageError(f"{word!r} is not known; usage: {_USAGE}")
    return values
