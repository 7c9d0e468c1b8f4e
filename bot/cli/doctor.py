"""Looks at a machine and a home without a daemon, and says what to do about what it finds."""

import asyncio
import contextlib
import os
import re
import shutil
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from bot.agents.personas import Footing
from bot.cli.output import visible
from bot.config.credentials import NAMES, Credentials
from bot.config.places import Places
from bot.config.settings import load_settings, unknown_variables
from bot.errors import MosaicError, SetupError, TransientError
from bot.lock import holder
from fleet.personas.library import LocalPersonas
from fleet.profiles.library import profiles, refusals
from fleet.roster.document import Roster
from fleet.roster.file import load
from storage.database import Database, Target
from storage.server.binaries import Binaries, find_binaries

_OLDEST_PYTHON = (3, 11)
_OLDEST_TMUX = (3, 2)
_PATIENCE_SECONDS = 5.0
_MARKS = {"ok": "✔", "warn": "!", "fail": "✘"}
_TOKENS = {"matrix": "MATRIX_ACCESS_TOKEN", "discord": "DISCORD_BOT_TOKEN"}


class Finding(NamedTuple):
    """One thing that was looked at. ``state`` is ok, warn or fail; ``advice`` says what to do."""

    check: str
    state: str
    detail: str
    advice: str = ""


Check = Callable[[Places, Mapping[str, str]], Iterator[Finding]]


def examine(places: Places, environ: Mapping[str, str]) -> list[Finding]:
    """Return the findings of every check; an error of ours in one is its finding."""
    findings: list[Finding] = []
    for name, check in _CHECKS.items():
        try:
            findings += check(places, environ)
        except MosaicError as error:
            findings.append(Finding(name, "fail", error.message, error.hint or ""))
    return findings


def findings_text(findings: list[Finding]) -> str:
    """Return the findings for people, one a line, advice below."""
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.state]} {finding.check:<14} {finding.detail}")
        if finding.advice and finding.state != "ok":
            lines.append(f"{'':<17}→ {finding.advice}")
    return visible("\n".join(lines))


def _python(_places: Places, _environ: Mapping[str, str]) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = sys.version_info[:2] >= _OLDEST_PYTHON
    yield Finding("python", "ok" if fits else "fail", version, "install Python 3.11 or newer")


def _tmux(_places: Places, _environ: Mapping[str, str]) -> Iterator[Finding]:
    if shutil.which("tmux") is None:
        yield Finding("tmux", "fail", "tmux is not installed", "install it, e.g. apt install tmux")
        return
    said = _output(["tmux", "-V"])
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is not None and (int(found[1]), int(found[2])) < _OLDEST_TMUX:
        yield Finding("tmux", "fail", said, "tmux 3.2 or newer is needed")
    else:
        yield Finding("tmux", "ok", said)


def _home(places: Places, _environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        facts = places.home.stat()
    except FileNotFoundError:
        yield Finding("home", "ok", f"{places.home} does not exist yet; `mosaic up` makes it")
        return
    mode = stat.S_IMODE(facts.st_mode)
    if facts.st_uid != os.getuid():
        yield Finding("home", "fail", f"{places.home} belongs to user {facts.st_uid}",
                      "choose another MOSAIC_HOME")  # fmt: skip
    elif mode & 0o077:
        yield Finding("home", "warn", f"{places.home} has mode {mode:04o}: others can look in",
                      f"chmod 700 {places.home}")  # fmt: skip
    elif not os.access(places.home, os.W_OK):
        yield Finding("home", "fail", f"{places.home} cannot be written", "look at its file system")
    else:
        yield Finding("home", "ok", str(places.home))


def _socket(places: Places, _environ: Mapping[str, str]) -> Iterator[Finding]:
    note = places.socket_note
    advice = "choose a MOSAIC_HOME with a shorter path if that is a trouble"
    yield Finding("socket", "warn" if note else "ok", note or str(places.api_socket), advice)


def _daemon(places: Places, _environ: Mapping[str, str]) -> Iterator[Finding]:
    pid = holder(places.lock_file)
    if pid is not None:
        yield Finding("daemon", "ok", f"running with pid {pid}")
    elif places.lock_file.exists() or places.api_socket.exists():
        yield Finding("daemon", "warn", "a dead daemon left its lock or socket behind",
                      "`mosaic up` takes over, `mosaic down` tidies up")  # fmt: skip
    else:
        yield Finding("daemon", "ok", "not running")


def _settings(places: Places, environ: Mapping[str, str]) -> Iterator[Finding]:
    load_settings(places, environ)
    there = places.settings_file.exists()
    yield Finding("settings", "ok", str(places.settings_file) if there else "all defaults")
    for warning in unknown_variables(environ):
        yield Finding("settings", "warn", warning, "correct its name, or unset it")


def _roster(places: Places, _environ: Mapping[str, str]) -> Iterator[Finding]:
    roster = _read_roster(places)
    if roster is None:
        yield Finding("roster", "ok", "none yet; `mosaic up` writes the demo roster")
        return
    kinds = ", ".join(_kinds(roster))
    yield Finding("roster", "ok", f"{places.roster_file}: {len(roster.agents)} agents, {kinds}")


def _personas(places: Places, _environ: Mapping[str, str]) -> Iterator[Finding]:
    library = LocalPersonas(places)
    for line in library.refusals():
        yield Finding(
            "personas", "warn", f"{line}; the shipped one is used", "correct the file, or remove it"
        )
    found = library.classes()
    changed = [one.agent_class for one in found if one.footing is Footing.CHANGED]
    for name in changed:
        yield Finding("personas", "warn", f"what ships of {name} changed since your file was written",
                      f"mosaic fleet personas diff {name}")  # fmt: skip
    own = [one for one in found if one.footing in {Footing.OWN, Footing.SAME, Footing.CHANGED}]
    yield Finding(
        "personas", "ok", f"{len(found)} classes, {len(own)} of them with a file of yours"
    )


def _profiles(places: Places, _environ: Mapping[str, str]) -> Iterator[Finding]:
    refused = refusals(places)
    for said in refused:
        yield Finding("profiles", "warn", said, "correct it; the shipped profile is used meanwhile")
    if not refused:
        yield Finding("profiles", "ok", f"{len(profiles(places))} system types")


def _secrets(places: Places, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Name the secrets that are given, never their values; miss those that a connector needs."""
    credentials = Credentials(environ, places.secrets_directory)
    given = [name for name in NAMES if credentials.get(name) is not None]
    yield Finding("secrets", "ok", ", ".join(given) or "none given")
    roster = _sound_roster(places)
    for kind in _kinds(roster) if roster is not None else ():
        needed = _TOKENS.get(kind)
        if needed is not None and needed not in given:
            lead = " (or run `mosaic connector discord`)" if kind == "discord" else ""
            yield Finding("secrets", "fail", f"the roster's {kind} connector needs {needed}",
                          f"set {needed}, or {needed}_FILE to a file of mode 0600{lead}")  # fmt: skip


def _postgres(places: Places, environ: Mapping[str, str]) -> Iterator[Finding]:
    url = Credentials(environ, places.secrets_directory).get("DATABASE_URL")
    if url is not None:
        yield Finding("postgres", "ok", f"DATABASE_URL: {asyncio.run(_server_version(url))}")
        return
    binaries = find_binaries()
    if binaries.as_root and (reason := _namespace_refusal(binaries)):
        yield Finding("postgres", "fail", f"root may not use user namespaces here: {reason}",
                      "set DATABASE_URL, or run as another user")  # fmt: skip
        return
    yield Finding("postgres", "ok", "embedded, " + _output([str(binaries.postgres), "--version"]))


async def _server_version(url: str) -> str:
    database = Database(size=1)
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await database.open(Target(url=url))
    except TimeoutError as error:
        raise TransientError(f"no answer within {_PATIENCE_SECONDS:g} s") from error
    try:
        return f"PostgreSQL {database.version}"
    finally:
        await database.close()


def _namespace_refusal(binaries: Binaries) -> str | None:
    command = binaries.command("postgres", ["--version"])
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr.strip()[:200] or "no reason given"


def _homeserver(places: Places, _environ: Mapping[str, str]) -> Iterator[Finding]:
    roster = _sound_roster(places)
    blocks = () if roster is None else (roster.connector, *roster.connectors)
    for block in blocks:
        if block.matrix is not None:
            yield _ask_homeserver(block.matrix.homeserver_url)


def _ask_homeserver(base: str) -> Finding:
    address = f"{base.rstrip('/')}/_matrix/client/versions"  # http or https: the roster's schema
    try:
        with urllib.request.urlopen(address, timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310
            status = answer.status
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        return Finding("homeserver", "fail", f"{base} does not answer: {reason}",
                       "start it, or correct homeserver_url in the roster")  # fmt: skip
    return Finding("homeserver", "ok", f"{base} answers with status {status}")


def _read_roster(places: Places) -> Roster | None:
    return load(places.roster_file) if places.roster_file.exists() else None


def _sound_roster(places: Places) -> Roster | None:
    """Return the roster, None when there is none or it is unsound (which is a finding of its own)."""
    with contextlib.suppress(SetupError):
        return _read_roster(places)
    return None


def _kinds(roster: Roster) -> list[str]:
    return [roster.connector.kind, *(block.kind for block in roster.connectors)]


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{command[0]} cannot be run: {error}") from error
    return (done.stdout or done.stderr).strip()


_CHECKS: Mapping[str, Check] = {
    "python": _python,
    "tmux": _tmux,
    "home": _home,
    "socket": _socket,
    "daemon": _daemon,
    "settings": _settings,
    "roster": _roster,
    "profiles": _profiles,
    "personas": _personas,
    "secrets": _secrets,
    "postgres": _postgres,
    "homeserver": _homeserver,
}
