"""Where an installation keeps its things: every path below MOSAIC_HOME (spec 3-contracts, "Places").

Only the standard library is imported here, because the cold command line needs it.
"""

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.errors import SetupError

LONGEST_SOCKET_PATH = 100
"""Bytes. The kernel's limit is 107 (unix(7)); programs between us and it keep some for themselves."""

_POSTGRES_SOCKET_NAME = ".s.PGSQL.5432"
_SHORT_PARENT = Path("/tmp")  # noqa: S108 - every face must find the same place, whatever its TMPDIR


def default_home(environ: Mapping[str, str] | None = None) -> Path:
    """Return the home of an installation that nobody placed elsewhere: ``~/.config/mosaic``."""
    user_home = (environ or {}).get("HOME") or str(Path.home())
    return Path(user_home) / ".config" / "mosaic"


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one installation.

    ``home`` is absolute. Nothing is created before ``prepare``; two spellings of one home (a symlink)
    give the same ``fingerprint``.
    """

    home: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Places":
        """Return the places of MOSAIC_HOME, or of the default home when it is unset or empty."""
        given = environ.get("MOSAIC_HOME", "")
        if not given:
            return cls(default_home(environ))
        return cls(Path(given).expanduser().absolute())

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the home's resolved path, in hex."""
        return hashlib.sha256(os.fsencode(self.home.resolve())).hexdigest()

    @property
    def settings_file(self) -> Path:
        """The settings, written by a person."""
        return self.home / "mosaic.toml"

    @property
    def fleet_directory(self) -> Path:
        """What the fleet is made of."""
        return self.home / "fleet"

    @property
    def roster_file(self) -> Path:
        """The fleet: who is in it, and how each is started."""
        return self.fleet_directory / "roster.yaml"

    @property
    def agents_directory(self) -> Path:
        """Generated ``<name>.env`` files, mode 0600."""
        return self.fleet_directory / "agents"

    @property
    def heartbeat_directory(self) -> Path:
        """Heartbeats ``<name>.hb``, and PAUSED."""
        return self.fleet_directory / "run"

    def heartbeat_file(self, name: str) -> Path:
        """Return the heartbeat of one agent: one JSON object, replaced by rename."""
        return self.heartbeat_directory / f"{name}.hb"

    def starts_file(self, name: str) -> Path:
        """Return when one agent was started without a person asking, as long as that counts."""
        return self.heartbeat_directory / f"{name}.starts"

    def stopped_file(self, name: str) -> Path:
        """Return the mark of one agent that was stopped on purpose: its text says by whom."""
        return self.heartbeat_directory / f"{name}.stopped"

    @property
    def episodes_file(self) -> Path:
        """What people were told of the fleet's floor and is not over; no agent has such a name."""
        return self.heartbeat_directory / ".episodes.json"

    @property
    def changing_lock_file(self) -> Path:
        """The lock of whoever starts or stops agents of this installation; no agent has such a name."""
        return self.heartbeat_directory / ".changing.lock"

    @property
    def roster_lock_file(self) -> Path:
        """The lock of whoever changes the roster's file."""
        return self.heartbeat_directory / ".roster.lock"

    def events_file(self, name: str) -> Path:
        """Return what one agent's runtime says of its turns: JSON lines, only ever added to while it runs."""
        return self.heartbeat_directory / f"{name}.events"

    def offset_file(self, name: str) -> Path:
        """Return how far the answers in that file were passed on."""
        return self.heartbeat_directory / f"{name}.offset"

    def typing_lock_file(self, name: str) -> Path:
        """Return the lock of whoever types into one agent's pane."""
        return self.heartbeat_directory / f"{name}.lock"

    def environment_file(self, name: str) -> Path:
        """Return the generated environment of one agent, mode 0600."""
        return self.agents_directory / f"{name}.env"

    def local_environment_file(self, name: str) -> Path:
        """Return a person's own additions to that environment: they win, and are never written by us."""
        return self.agents_directory / f"{name}.local.env"

    def prompt_file(self, name: str) -> Path:
        """Return the generated prompt of one agent, mode 0600."""
        return self.agents_directory / f"{name}.prompt.md"

    def local_prompt_file(self, name: str) -> Path:
        """Return a person's own words to one agent, never written by us."""
        return self.agents_directory / f"{name}.local.md"

    def launch_directory(self, name: str) -> Path:
        """Return the folder of files that one agent's program is started with; made anew at each start."""
        return self.agents_directory / f"{name}.launch"

    def identity_file(self, name: str) -> Path:
        """Return the token file of one agent (its MOSAIC_AGENT_FILE), mode 0600."""
        return self.agents_directory / f"{name}.json"

    @property
    def last_good_roster_file(self) -> Path:
        """The roster that was last accepted: what the fleet goes on with while the file is wrong."""
        return self.heartbeat_directory / "roster.last-good.yaml"

    @property
    def files_directory(self) -> Path:
        """Copies of what people sent, for agents of this host: ``cards/ID/NAME``."""
        return self.home / "files"

    @property
    def inbox_directory(self) -> Path:
        """What people sent to agents: ``NAME/FILE`` (no agent has such a name as this folder)."""
        return self.fleet_directory / "inbox"

    def folder_of(self, agent: str, card: str | None) -> Path:
        """Return where a file belongs on an agent's host: its inbox, or the card's folder."""
        if card is None:
            return self.inbox_directory / agent
        return self.files_directory / "cards" / card

    @property
    def paused_file(self) -> Path:
        """The kill switch; a person may make it with ``touch``."""
        return self.heartbeat_directory / "PAUSED"

    @property
    def local_roles_directory(self) -> Path:
        """A person's own personas, which win over ours."""
        return self.fleet_directory / "roles.local"

    @property
    def everyones_overlay_file(self) -> Path:
        """A person's own words to every agent; no class has such a name."""
        return self.local_roles_directory / "overlays" / "_everyone.md"

    def class_overlay_file(self, agent_class: str) -> Path:
        """Return a person's own words to every agent of a class."""
        return self.local_roles_directory / "overlays" / f"{agent_class}.md"

    @property
    def local_profiles_directory(self) -> Path:
        """A person's own profiles, which win over ours."""
        return self.fleet_directory / "profiles.local"

    @property
    def north_star_file(self) -> Path:
        """The goals."""
        return self.fleet_directory / "NORTH_STAR.yaml"

    @property
    def postgres_directory(self) -> Path:
        """The embedded server's data."""
        return self.home / "postgres"

    @property
    def secrets_directory(self) -> Path:
        """Secrets that a set-up wrote down, a file each, mode 0600."""
        return self.home / "secrets"

    @property
    def crypto_directory(self) -> Path:
        """The Matrix store of keys."""
        return self.home / "crypto"

    @property
    def homeserver_directory(self) -> Path:
        """The local homeserver to try with."""
        return self.home / "homeserver"

    @property
    def run_directory(self) -> Path:
        """What only a running daemon needs: socket, lock and log."""
        return self.home / "run"

    @property
    def lock_file(self) -> Path:
        """The lock that a running daemon holds; its text is the daemon's pid."""
        return self.run_directory / "daemon.lock"

    @property
    def log_file(self) -> Path:
        """The log, JSON lines."""
        return self.run_directory / "mosaic.log"

    @property
    def console_history_file(self) -> Path:
        """What the operator typed into the console."""
        return self.run_directory / "console.history"

    @property
    def short_directory(self) -> Path:
        """A private directory with a short path, for sockets that do not fit below a deep home.

        It depends on the user and the home alone, never on the environment, so that the daemon and its
        faces agree on it.
        """
        return _SHORT_PARENT / f"mosaic-{os.getuid()}-{self.fingerprint[:12]}"

    @property
    def api_socket(self) -> Path:
        """The socket that the daemon answers on; see ``socket_note`` for a deep home."""
        return self._fitting(self.run_directory / "api.sock")

    @property
    def postgres_socket_directory(self) -> Path:
        """Where the embedded server puts its socket."""
        return self._fitting(self.run_directory / "pg" / _POSTGRES_SOCKET_NAME).parent

    @property
    def socket_note(self) -> str | None:
        """Say where the socket is and why, when it could not be below the home."""
        wanted = self.run_directory / "api.sock"
        if self.api_socket == wanted:
            return None
        size = len(os.fsencode(wanted))
        return (
            f"{wanted} is {size} bytes long and a socket's path may have {LONGEST_SOCKET_PATH}:"
            f" the socket is {self.api_socket}"
        )

    def prepare(self) -> None:
        """Create the directories that the daemon writes to, mode 0700; repeatable.

        Raises SetupError when one cannot be made, or when the short directory is somebody else's.
        """
        for directory in (
            self.home,
            self.fleet_directory,
            self.agents_directory,
            self.heartbeat_directory,
            self.crypto_directory,
            self.run_directory,
        ):
            _make_private(directory)
        if self.socket_note is not None or not _is_below(self.postgres_socket_directory, self.home):
            _make_private(self.short_directory)
        _make_private(self.postgres_socket_directory)

    def tidy(self) -> None:
        """Remove the short directory and the Postgres socket directory when they are empty."""
        for directory in (self.postgres_socket_directory, self.short_directory):
            try:
                directory.rmdir()
            except OSError:
                continue

    def _fitting(self, path: Path) -> Path:
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        return self.short_directory / path.name


def default_socket_name(places: Places, environ: Mapping[str, str] | None = None) -> str:
    """Return the tmux socket of a demo fleet: ``mosaic-fleet``, with eight hex digits for another home.

    Two installations on one machine therefore never meet on one tmux server.
    """
    if places.home.resolve() == default_home(environ).resolve():
        return "mosaic-fleet"
    return f"mosaic-fleet-{places.fingerprint[:8]}"


def _is_below(path: Path, parent: Path) -> bool:
    return path.is_relative_to(parent)


def _make_private(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = directory.lstat()
    except OSError as error:
        raise SetupError(f"{directory} cannot be made: {error.strerror}") from error
    if directory.is_symlink() and directory.parent != _SHORT_PARENT:
        facts = directory.stat()  # a person may keep the home elsewhere; nobody may redirect /tmp
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise SetupError(
            f"{directory} is not a directory of user {os.getuid()}",
            hint="remove it, or choose another MOSAIC_HOME",
        )
    if stat.S_IMODE(facts.st_mode) & 0o077:
        directory.chmod(0o700)
