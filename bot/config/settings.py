"""The settings: mosaic.toml and its overrides, read once at start, checked, and then plain values."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.config.places import Places
from bot.config.section import Section
from bot.config.sections import Settings
from bot.config.toml_lines import line_of
from bot.errors import SetupError

__all__ = ["Section", "Settings", "load_settings", "settings_keys", "unknown_variables", "variable"]

_OTHER_VARIABLES = ("MOSAIC_HOME",)
_OTHER_PREFIXES = ("MOSAIC_AGENT_", "MOSAIC_DOGFOOD_")


def load_settings(places: Places, environ: Mapping[str, str]) -> Settings:
    """Read mosaic.toml (a missing one is empty) and lay the environment's overrides over it.

    Raises SetupError ``PATH:LINE: message`` for the first thing that is wrong, or ``VARIABLE: message``
    when an override is.
    """
    text, data = _read(places)
    overridden = _override(data, environ)
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise SetupError(_describe(error.errors()[0], places, text, overridden)) from error


def unknown_variables(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return one warning for each MOSAIC_* variable that means nothing here."""
    known = {variable(path) for path, _ in settings_keys()} | set(_OTHER_VARIABLES)
    return tuple(
        f"{name} is no setting and is ignored"
        for name in sorted(environ)
        if name.startswith("MOSAIC_") and name not in known and not name.startswith(_OTHER_PREFIXES)
    )


def variable(path: tuple[str, ...]) -> str:
    """Return the environment variable that overrides a key: ``MOSAIC_<SECTION>_<KEY>``."""
    return "MOSAIC_" + "_".join(path).upper()


def settings_keys(
    section: type[Section] = Settings, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], type[Section]]]:
    """Yield every key as its path and the section that declares it, in the order of declaration."""
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from settings_keys(kind, (*path, name))
        else:
            yield (*path, name), section


def _read(places: Places) -> tuple[str, dict[str, Any]]:
    path = places.settings_file
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return "", {}
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}:1: cannot be read: {error}") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(_syntax_error(path.as_posix(), text, str(error))) from error


def _syntax_error(path: str, text: str, message: str) -> str:
    """Turn tomllib's "… (at line 3, column 7)" into our form."""
    what, _, where = message.rpartition(" (at ")
    if where.startswith("line "):
        line = where.removeprefix("line ").partition(",")[0]
    else:
        line = str(max(1, len(text.splitlines())))
    return f"{path}:{line}: {what or message}"


def _override(data: dict[str, Any], environ: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Put the environment's values into ``data``; return which keys they replaced, and by what name."""
    overridden: dict[tuple[str, ...], str] = {}
    for path, section in settings_keys():
        name = variable(path)
        if name not in environ:
            continue
        table = data
        for step in path[:-1]:
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                return (
                    overridden  # the file has a value where a table belongs: it is refused as such
                )
        table[path[-1]] = _parse(environ[name], section.model_fields[path[-1]].annotation)
        overridden[path] = name
    return overridden


def _parse(text: str, kind: Any) -> Any:
    """Read a variable as the key's type; what does not fit stays text, for the check to refuse."""
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind in {int, float}:
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def _describe(
    error: ErrorDetails,
    places: Places,
    text: str,
    overridden: Mapping[tuple[str, ...], str],
) -> str:
    keys = tuple(step for step in error["loc"] if isinstance(step, str))
    message = f"{'.'.join(keys)}: {_reason(error, keys)}"
    for path, name in overridden.items():
        if keys == path:
            return f"{name}: {message}"
    return f"{places.settings_file}:{line_of(text, keys)}: {message}"


def _reason(error: ErrorDetails, keys: tuple[str, ...]) -> str:
    if error["type"] == "extra_forbidden":
        return f"unknown key; allowed: {', '.join(_siblings(keys)) or 'none'}"
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    said = error["msg"].removeprefix("Input ")
    return f"{error['input']!r} {said}"


def _siblings(keys: tuple[str, ...]) -> list[str]:
    section: type[Section] = Settings
    for step in keys[:-1]:
        kind = section.model_fields[step].annotation
        if not (isinstance(kind, type) and issubclass(kind, Section)):
            return []
        section = kind
    return list(section.model_fields)
