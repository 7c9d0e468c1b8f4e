"""A whole installation as its users see it: the `mosaic` command in a home of its own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.waiting import until

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH")


@dataclass(frozen=True, slots=True)
class Ended:
    """How one call of the command ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What `--json` printed."""
        return json.loads(self.out)


class Installation:
    """One MOSAIC_HOME with an otherwise empty environment.

    ``environ`` is added to it (secrets of connectors). Nothing outlives ``close``.
    """

    def __init__(self, home: Path, environ: Mapping[str, str] | None = None) -> None:
        self.home = home
        self._environ = dict(environ or {})

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every call."""
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        home = self.home.parent / "person"
        home.mkdir(exist_ok=True)
        return {
            **passed,
            "HOME": str(home),
            "MOSAIC_HOME": str(self.home),
            "TERM": "xterm-256color",
            **self._environ,
        }

    @property
    def socket_name(self) -> str:
        """The tmux socket of its fleet."""
        roster = yaml.safe_load((self.home / "fleet" / "roster.yaml").read_text(encoding="utf-8"))
        return str(roster["tmux"]["socket_name"])

    @property
    def pid(self) -> int | None:
        """The running daemon's pid, as its lock says."""
        try:
            return int((self.home / "run" / "daemon.lock").read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return None

    def write_settings(self, text: str) -> None:
        """Write mosaic.toml."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "mosaic.toml").write_text(text, encoding="utf-8")

    def write_roster(self, roster: Mapping[str, Any]) -> None:
        """Write fleet/roster.yaml."""
        (self.home / "fleet").mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(dict(roster), sort_keys=False)
        (self.home / "fleet" / "roster.yaml").write_text(text, encoding="utf-8")

    async def mosaic(self, *words: str, stdin: bytes = b"", limit: float = 60.0) -> Ended:
        """Run `mosaic` with these words and return how it ended."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environ,
        )
        try:
            async with asyncio.timeout(limit):
                out, err = await process.communicate(stdin)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def up(self, *flags: str) -> None:
        """Start the daemon and wait until it is ready."""
        ended = await self.mosaic("up", "--detach", *flags, limit=120)
        assert ended.status == 0, f"{ended.out}\n{ended.err}\n{self.log()}"

    async def down(self) -> None:
        """Stop daemon and agents."""
        ended = await self.mosaic("down")
        assert ended.status == 0, f"{ended.out}\n{ended.err}\n{self.log()}"

    async def status(self) -> dict[str, Any]:
        """Return what `mosaic status --json` says."""
        data: dict[str, Any] = (await self.mosaic("status", "--json")).data
        return data

    async def kill(self) -> None:
        """Kill the daemon without mercy and wait until it is gone."""
        pid = self.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: not _alive(pid), what=f"pid {pid} to be gone")

    async def close(self) -> None:
        """Stop whatever runs, by the front door, and by force when that is shut."""
        ended = await self.mosaic("down")
        if ended.status not in {0, 3} and (pid := self.pid) is not None and _alive(pid):
            os.kill(pid, signal.SIGKILL)

    def log(self) -> str:
        """Return the end of the daemon's log."""
        try:
            lines = (self.home / "run" / "mosaic.log").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(lines[-40:])


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
