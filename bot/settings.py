"""The settings: mosaic.toml and its overrides, read once at start, checked, and then plain values.

Every key has a description here; docs/reference/settings.md is generated from them.
"""

import socket
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from bot.errors import SetupError
from bot.places import Places
from bot.toml_lines import line_of

Seconds = Annotated[float, Field(gt=0, le=86_400, strict=True)]
PrincipalId = Annotated[str, Field(pattern=r"^[a-z]+:\S+$", strict=True)]
Text = Annotated[str, Field(strict=True)]
HostName = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]

_OTHER_VARIABLES = ("MOSAIC_HOME", "MOSAIC_HEARTBEAT_IDLE_THRESHOLD")
_OTHER_PREFIXES = ("MOSAIC_AGENT_", "MOSAIC_DOGFOOD_")


class Section(BaseModel):
    """A table of mosaic.toml: unknown keys are refused, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Access(Section):
    """Who may do what. An empty list is nobody; ``local:<uid>`` is always an operator."""

    operators: tuple[PrincipalId, ...] = ()
    """Ids of people who may run everything, such as `matrix:@ann:example.org`."""

    members: tuple[PrincipalId, ...] = ()
    """Ids of people who may read and talk."""

    rooms: tuple[PrincipalId, ...] = ()
    """Rooms where commands are taken, besides the connectors' own room_id and channel_id."""


class Supervisor(Section):
    """How often the supervisor looks at the fleet."""

    tick_seconds: Seconds = 30.0
    """Time between two looks of the supervisor."""

    @property
    def tick(self) -> timedelta:
        """The time between two looks."""
        return timedelta(seconds=self.tick_seconds)


class Heartbeat(Section):
    """How agents show that they are alive."""

    interval_seconds: Seconds = 15.0
    """Time between two heartbeats of an agent."""

    stale_seconds: Seconds = 60.0
    """Age at which a heartbeat is no longer believed; longer than interval_seconds."""

    @property
    def interval(self) -> timedelta:
        """The time between two heartbeats."""
        return timedelta(seconds=self.interval_seconds)

    @property
    def stale(self) -> timedelta:
        """The age at which a heartbeat is no longer believed."""
        return timedelta(seconds=self.stale_seconds)

    @model_validator(mode="after")
    def _ordered(self) -> "Heartbeat":
        if self.stale_seconds <= self.interval_seconds:
            raise ValueError("stale_seconds must be greater than interval_seconds")
        return self


class MatrixSettings(Section):
    """Matrix; homeserver_url, user_id and room_id come from the roster's connector block."""


class DiscordSettings(Section):
    """Discord; the token is a secret and comes from DISCORD_BOT_TOKEN."""

    guild_id: Text = ""
    """Id of the server."""

    channel_id: Text = ""
    """Id of the channel where commands are taken."""

    api_url: Text = ""
    """A local stand-in's HTTP address for tests, with /api/v10, no trailing slash; empty is Discord."""

    gateway_url: Text = ""
    """A local stand-in's gateway address for tests; empty is Discord."""


class Connectors(Section):
    """One table per platform."""

    matrix: MatrixSettings = MatrixSettings()
    discord: DiscordSettings = DiscordSettings()


class Commands(Section):
    """How typed commands are run."""

    timeout_seconds: Seconds = 30.0
    """Time after which a running command is given up."""

    confirm_seconds: Seconds = 120.0
    """Time in which a destructive command may be confirmed."""

    @property
    def timeout(self) -> timedelta:
        """The time after which a running command is given up."""
        return timedelta(seconds=self.timeout_seconds)

    @property
    def confirm(self) -> timedelta:
        """The time in which a destructive command may be confirmed."""
        return timedelta(seconds=self.confirm_seconds)


class Delivery(Section):
    """How messages are brought to their platform."""

    lease_seconds: Seconds = 60.0
    """Time for which a worker holds a delivery before another may take it."""

    attempts: Annotated[int, Field(ge=1, le=1000, strict=True)] = 12
    """Tries before a delivery becomes a dead letter."""

    first_wait_seconds: Seconds = 1.0
    """Wait after the first failed try; it doubles from try to try."""

    longest_wait_seconds: Seconds = 300.0
    """The longest wait between two tries."""

    poll_seconds: Seconds = 2.0
    """Time between two looks for due deliveries when no notification came."""

    @property
    def lease(self) -> timedelta:
        """The time for which a worker holds a delivery."""
        return timedelta(seconds=self.lease_seconds)

    @property
    def first_wait(self) -> timedelta:
        """The wait after the first failed try."""
        return timedelta(seconds=self.first_wait_seconds)

    @property
    def longest_wait(self) -> timedelta:
        """The longest wait between two tries."""
        return timedelta(seconds=self.longest_wait_seconds)

    @property
    def poll(self) -> timedelta:
        """The time between two looks for due deliveries."""
        return timedelta(seconds=self.poll_seconds)


class Host(Section):
    """Who this machine is among the fleet's hosts."""

    name: HostName = Field(default_factory=socket.gethostname, validate_default=False)
    """This host's name in addresses and in the roster; the machine's host name unless set."""

    tenant_id: HostName = "local"
    """The tenant that this installation's rows belong to."""


class Postgres(Section):
    """The embedded server; DATABASE_URL replaces it by an external one."""

    data_directory: Text = ""
    """Absolute path of the server's data; empty is postgres/ below MOSAIC_HOME."""

    start_timeout_seconds: Seconds = 120.0
    """Time in which the server must accept connections, recovery after a crash included."""

    @property
    def start_timeout(self) -> timedelta:
        """The time in which the server must accept connections."""
        return timedelta(seconds=self.start_timeout_seconds)


class Homeserver(Section):
    """The local homeserver of ``mosaic up --with-homeserver``."""

    port: Annotated[int, Field(ge=1024, le=65_535, strict=True)] = 8008
    """The port on 127.0.0.1 that it listens on."""


class Log(Section):
    """What is written to run/mosaic.log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important level that is written."""


class Settings(Section):
    """Everything that a person can set, each value checked."""

    access: Access = Access()
    supervisor: Supervisor = Supervisor()
    heartbeat: Heartbeat = Heartbeat()
    connectors: Connectors = Connectors()
    commands: Commands = Commands()
    delivery: Delivery = Delivery()
    host: Host = Field(default_factory=Host)
    postgres: Postgres = Postgres()
    homeserver: Homeserver = Homeserver()
    log: Log = Log()


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
