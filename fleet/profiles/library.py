"""All profiles: those that ship, and a person's own in ``fleet/profiles.local``, which always win.

A file ``ID.yaml`` there changes the shipped profile of its id key by key, or adds a system type. One that
cannot be used is refused with its line, and the shipped one is used.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bot.config.places import Places
from bot.errors import UserError
from fleet.personas.persona import known_classes
from fleet.profiles.checks import faults
from fleet.profiles.profile import ID_PATTERN, Profile, ProfileFile
from fleet.strict_yaml import Page, read_page, shown

_SUFFIX = ".yaml"
_ID = re.compile(ID_PATTERN)
_NEEDED = ("title", "purpose", "lead", "roster")
_KEYS = (*_NEEDED, "floor", "budget")
Layer = Page[ProfileFile]


def profiles(places: Places) -> tuple[Profile, ...]:
    """Return every profile that can be used, by id."""
    return tuple(
        found for found in map(_Reading(places).profile, _ids(places)) if found is not None
    )


def find_profile(profile_id: str, places: Places) -> Profile:
    """Return one profile; UserError with what is wrong with it, or with those that there are."""
    reading = _Reading(places)
    found = reading.profile(profile_id)
    if found is not None:
        return found
    if profile_id in reading.refused:
        raise UserError(reading.refused[profile_id], code="wrong_file")
    known = ", ".join(one.id for one in profiles(places))
    raise UserError(
        f"profile: there is no {profile_id}; there are: {known}",
        code="not_found",
        hint=f"a file {profile_id}{_SUFFIX} in {places.local_profiles_directory} adds it",
    )


def refusals(places: Places) -> Sequence[str]:
    """Return what is wrong with a person's own files, a line each."""
    reading = _Reading(places)
    for profile_id in _ids(places):
        reading.profile(profile_id)
    lines = [line for said in reading.refused.values() for line in said.split("\n")]
    return [*lines, *_strangers(places.local_profiles_directory)]


def _ids(places: Places) -> Sequence[str]:
    own = (path.stem for path in places.local_profiles_directory.glob(f"*{_SUFFIX}"))
    return sorted({*_shipped_ids(), *own})


def _strangers(directory: Path) -> Iterator[str]:
    if directory.is_dir():
        for path in sorted(directory.iterdir()):
            if path.suffix != _SUFFIX and not path.name.startswith("."):
                yield f"{path}:1: is not read; a profile is a file ID{_SUFFIX}"


class _Reading:
    """One look at all files; ``refused`` says by id what was wrong."""

    def __init__(self, places: Places) -> None:
        self._directory = places.local_profiles_directory
        self._classes = known_classes(places)
        self.refused: dict[str, str] = {}

    def profile(self, profile_id: str) -> Profile | None:
        """Return a profile, None when nobody describes it or it cannot be used."""
        shipped = _shipped(profile_id)
        try:
            own = _own(self._directory / f"{profile_id}{_SUFFIX}", profile_id)
            if own is not None:
                return self._checked(profile_id, (own, shipped))
        except UserError as error:
            self.refused[profile_id] = error.message
        if shipped is None:
            return None
        found = self._checked(profile_id, (shipped,))
        return replace(found, refused=self.refused.get(profile_id))

    def _checked(self, profile_id: str, layers: Sequence[Layer | None]) -> Profile:
        """Return the layers as one profile; UserError ``FILE:LINE: …`` for everything that does not fit."""
        given = [layer for layer in layers if layer is not None]
        profile = _joined(profile_id, given)
        found = {_fault(given, place, said) for place, said in faults(profile, self._classes)}
        if found:
            raise UserError("\n".join(sorted(found)))
        return profile


def _joined(profile_id: str, layers: Sequence[Layer]) -> Profile:
    """Return one profile with the first layer's word for each key."""
    values: dict[str, Any] = {}
    for key in _KEYS:
        said = (getattr(layer.value, key) for layer in layers)
        values[key] = next((value for value in said if value is not None), None)
    missing = [key for key in _NEEDED if values[key] is None]
    if missing:
        raise UserError("\n".join(f"{layers[0].source}:1: {key} is missing" for key in missing))
    values["purpose"] = values["purpose"].strip()
    values["floor"] = (values["lead"],) if values["floor"] is None else values["floor"]
    return Profile(id=profile_id, source=layers[0].source, **values)


def _fault(layers: Sequence[Layer], place: tuple[str | int, ...], said: str) -> str:
    """Name a fault where it stands; in a shipped file nothing is wrong but for what a person's own changes."""
    own = layers[0]
    if place[0] in own.value.model_fields_set:
        return own.fault(place, said)
    return f"{own.source}:1: {shown(place)} of {layers[-1].source}: {said}"


def _own(path: Path, profile_id: str) -> Layer | None:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path}:1: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: not UTF-8") from error
    return _parse(text, str(path), profile_id)


def _shipped_ids() -> Sequence[str]:
    names = (path.name for path in files("fleet.profiles").iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))


def _shipped(profile_id: str) -> Layer | None:
    if profile_id not in _shipped_ids():
        return None
    path = files("fleet.profiles") / f"{profile_id}{_SUFFIX}"
    return _parse(
        path.read_text(encoding="utf-8"), f"fleet/profiles/{profile_id}{_SUFFIX}", profile_id
    )


@lru_cache(maxsize=64)
def _parse(text: str, source: str, profile_id: str) -> Layer:
    if not _ID.fullmatch(profile_id):
        raise UserError(
            f"{source}:1: a profile's file is named ID{_SUFFIX}; an id matches {_ID.pattern}"
        )
    page = read_page(text, source, ProfileFile, what="a profile", begins=f"id: {profile_id}")
    if page.value.id not in {None, profile_id}:
        raise UserError(page.fault(("id",), f"must be {profile_id}, as the file is named"))
    return page
