"""Units of systemd for one person's fleet: the daemon, and one template for all agents (systemd.unit(5)).

They are written only when a person asks for it. Everything works the same without systemd.
"""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.agents.units import UnitState
from bot.config.places import Places, default_socket_name
from bot.errors import UserError

_FRESH_SECONDS = 10.0
_PATH = "%h/.local/bin:/usr/local/bin:/usr/bin:/bin"

_DAEMON = """\
[Unit]
Description=Mosaic Fleet
StartLimitIntervalSec=10min
StartLimitBurst=10

[Service]
Type=exec
ExecStart={python} -P -m bot up
{environment}
# Only the daemon gets the signal: the tmux server and the agents in it are not its children to end.
KillMode=process
# An agent that takes too much memory must not stop the daemon.
OOMPolicy=continue
TimeoutStopSec=60
Restart=on-failure
RestartSec=2
UMask=0077

[Install]
WantedBy=default.target
"""
_AGENT = """\
[Unit]
Description=Mosaic Fleet agent %i
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={python} -P -m fleet.host.session start %i
ExecStop={python} -P -m fleet.host.session stop %i
{environment}
# The tmux server that the first agent starts serves all of them.
KillMode=process
TimeoutStartSec=60
UMask=0077

[Install]
WantedBy=default.target
"""


class SystemdUnits:
    """The port Units on ``systemctl --user``.

    ``environ`` says where a person's units lie. A home that is not the default one has units of its own name.
    """

    def __init__(self, places: Places, environ: Mapping[str, str]) -> None:
        self._places = places
        self._environ = dict(environ)
        config = environ.get("XDG_CONFIG_HOME") or str(
            Path(environ.get("HOME", "~")).expanduser() / ".config"
        )
        self._directory = Path(config) / "systemd" / "user"
        # The same name as the demo fleet's socket: two installations never meet on one unit either.
        self._prefix = default_socket_name(places, environ).replace("mosaic-fleet", "mosaic")
        self._known: tuple[float, Mapping[str, UnitState]] = (0.0, {})

    def texts(self) -> Mapping[str, str]:
        """Return the units' texts by their files' names."""
        environment = "\n".join(
            f"Environment={_word(f'{name}={value}')}"
            for name, value in (("MOSAIC_HOME", str(self._places.home)), ("LC_ALL", "C.UTF-8"))
        )
        values = {
            "python": _word(sys.executable),
            "environment": f"{environment}\nEnvironment=PATH={_PATH}",
        }
        return {
            f"{self._prefix}.service": _DAEMON.format(**values),
            f"{self._prefix}-agent@.service": _AGENT.format(**values),
        }

    async def install(self, names: Sequence[str]) -> Sequence[str]:
        """Write the units and enable the daemon's and the agents'; UserError with systemctl's own words."""
        await asyncio.to_thread(self._write)
        await self._systemctl("daemon-reload")
        await self._systemctl("enable", f"{self._prefix}.service", *map(self._unit, names))
        self._known = (0.0, {})
        return sorted(str(self._directory / name) for name in self.texts())

    async def remove(self, names: Sequence[str]) -> Sequence[str]:
        """Disable all of them and take the files away."""
        there = [path for path in self._files() if path.exists()]
        if there:
            await self._systemctl("disable", f"{self._prefix}.service", *map(self._unit, names))
            for path in there:
                path.unlink()
            await self._systemctl("daemon-reload")
        self._known = (0.0, {})
        return sorted(map(str, there))

    async def enable(self, name: str) -> None:
        """Enable one agent's unit, if units are installed."""
        if self._is_installed():
            await self._systemctl("enable", self._unit(name))
            self._known = (0.0, {})

    async def disable(self, name: str) -> None:
        """Disable one agent's unit, if units are installed."""
        if self._is_installed():
            await self._systemctl("disable", self._unit(name))
            self._known = (0.0, {})

    async def states(self, names: Sequence[str]) -> Mapping[str, UnitState]:
        """Return the units' states, at most ten seconds old; one call whatever the number."""
        if not names or not self._is_installed():
            return {}
        read_at, known = self._known
        if read_at and time.monotonic() - read_at < _FRESH_SECONDS:
            return known
        asked = ("show", "--property=Id,ActiveState,UnitFileState", *map(self._unit, names))
        try:
            said = await self._systemctl(*asked)
        except UserError:
            said = ""  # no service manager answers: nothing is known, and the fleet goes on
        known = self._read(said, names)
        self._known = (time.monotonic(), known)
        return known

    def _read(self, said: str, names: Sequence[str]) -> Mapping[str, UnitState]:
        units = {self._unit(name): name for name in names}
        found: dict[str, UnitState] = {}
        for block in said.split("\n\n"):
            values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            if (name := units.get(values.get("Id", ""))) is not None:
                active, enabled = values.get("ActiveState", ""), values.get("UnitFileState", "")
                found[name] = UnitState(active or "unknown", enabled or "disabled")
        return found

    def _write(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        for name, text in self.texts().items():
            draft = self._directory / f".{name}.draft"
            draft.write_text(text, encoding="utf-8")
            draft.replace(self._directory / name)

    def _files(self) -> Sequence[Path]:
        return [self._directory / name for name in self.texts()]

    def _is_installed(self) -> bool:
        return (self._directory / f"{self._prefix}-agent@.service").exists()

    def _unit(self, name: str) -> str:
        return f"{self._prefix}-agent@{name}.service"

    async def _systemctl(self, *words: str) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                *("systemctl", "--user", *words),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=self._environ,
            )
        except FileNotFoundError as error:
            raise UserError("there is no systemctl here; agents need no units") from error
        out, err = await process.communicate()
        if process.returncode != 0:
            said = err.decode(errors="replace").strip()
            raise UserError(f"systemctl --user {words[0]}: {said}", hint="agents need no units")
        return out.decode(errors="replace")


def _word(text: str) -> str:
    """Return a word as a unit file holds it: quoted, with ``%`` and ``$`` that mean themselves."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{plain}"'
