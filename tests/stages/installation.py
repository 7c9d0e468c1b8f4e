"""A whole installation as its users see it: the `mosaic` command in a home of its own."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
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

    ``environ`` is added to it (secrets of connectors). ``package`` is another place where our packages lie.
    Nothing outlives ``close``.
    """

    def __init__(
        self, home: Path, environ: Mapping[str, str] | None = None, package: Path | None = None
    ) -> None:
        self.home = home
        self._package = package
        self._environ = dict(environ or {})
        self._known: dict[Path, tuple[int, list[dict[str, Any]]]] = {}

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
            "MOSAIC_SUPERVISOR_DIGEST_AT": "",  # or what a room shows would depend on the time of day
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

    def give(self, environ: Mapping[str, str]) -> None:
        """Let the next start find these variables instead of those given at first."""
        self._environ = dict(environ)

    def as_agent(self, name: str) -> "Installation":
        """Return the same installation as an agent in its pane meets it: with the agent's own token."""
        file = self.home / "fleet" / "agents" / f"{name}.json"
        return Installation(self.home, self._environ | {"MOSAIC_AGENT_FILE": str(file)})

    def write_settings(self, text: str) -> None:
        """Write mosaic.toml."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "mosaic.toml").write_text(text, encoding="utf-8")

    def write_roster(self, roster: Mapping[str, Any]) -> None:
        """Write fleet/roster.yaml."""
        (self.home / "fleet").mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(dict(roster), sort_keys=False)
        (self.home / "fleet" / "roster.yaml").write_text(text, encoding="utf-8")

    @property
    def api_socket(self) -> Path:
        """Where the daemon listens."""
        return self.home / "run" / "api.sock"

    async def mosaic(self, *words: str | bytes, stdin: bytes = b"", limit: float = 60.0) -> Ended:
        """Run `mosaic` with these words and return how it ended."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            *words,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self.environ,
            cwd=self._package,
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
        await until(lambda: not is_alive(pid), what=f"pid {pid} to be gone")

    async def signal(self, number: signal.Signals) -> None:
        """Send the daemon a signal and wait until it is gone."""
        pid = self.pid
        assert pid is not None
        os.kill(pid, number)
        await until(lambda: not is_alive(pid), 60, what=f"pid {pid} to be gone after {number.name}")

    async def close(self) -> None:
        """Stop whatever runs, by the front door, and by force when that is shut."""
        ended = await self.mosaic("down")
        if ended.status not in {0, 3} and (pid := self.pid) is not None and is_alive(pid):
            os.kill(pid, signal.SIGKILL)
        if (self.home / "fleet" / "roster.yaml").exists():
            await self.tmux("kill-server")

    # -- what can be seen from outside -----------------------------------------------------------------

    async def tmux(self, *words: str) -> str:
        """Return what a tmux command on the fleet's socket prints, nothing when there is no server."""
        process = await asyncio.create_subprocess_exec(
            "tmux", "-L", self.socket_name, *words, stdout=PIPE, stderr=DEVNULL, stdin=DEVNULL
        )
        out, _ = await process.communicate()
        return out.decode()

    async def pane_pids(self) -> dict[str, int]:
        """Return the process of every session on the fleet's socket."""
        lines = await self.tmux("list-panes", "-a", "-F", "#{session_name} #{pane_pid}")
        return {name: int(pid) for name, pid in map(str.split, lines.splitlines())}

    async def agent_pids(self) -> dict[str, int]:
        """Return the processes of the agents alone."""
        own = {"_holder", "mosaic-chat"}
        return {name: pid for name, pid in (await self.pane_pids()).items() if name not in own}

    async def screen(self, agent: str) -> str:
        """Return what an agent's pane shows."""
        return await self.tmux("capture-pane", "-p", "-t", f"={agent}:")

    async def type(self, agent: str, line: str) -> None:
        """Type a line into an agent's pane, as a person who sits there."""
        await self.tmux("send-keys", "-t", f"={agent}:", "-l", line)
        await self.press(agent, "Enter")

    async def press(self, agent: str, key: str) -> None:
        """Press one key in an agent's pane."""
        await self.tmux("send-keys", "-t", f"={agent}:", key)

    def agent_events(self, agent: str) -> list[dict[str, Any]]:
        """Return what a dogfood agent says it did, in order."""
        return self._lines_of(self.home / "fleet" / "run" / f"{agent}.events")

    def entries(self) -> list[dict[str, Any]]:
        """Return the log's entries; a line that is none (a traceback) is one with the key ``line``."""
        return self._lines_of(self.home / "run" / "mosaic.log")

    def _lines_of(self, path: Path) -> list[dict[str, Any]]:
        """Return a growing file's lines; what was read before is not read again."""
        position, found = self._known.setdefault(path, (0, []))
        try:
            with path.open("rb") as file:
                file.seek(position)
                added = file.read()
        except FileNotFoundError:
            return found
        whole = added[: added.rfind(b"\n") + 1]
        found += [_entry(line) for line in whole.decode("utf-8").split("\n") if line.strip()]
        self._known[path] = (position + len(whole), found)
        return found

    def bugs(self) -> list[str]:
        """Return what the log says of things that nobody foresaw: the end of each."""
        found = (
            e for e in self.entries() if "line" in e or e["event"] == "bug" or "exception" in e
        )
        return [str(e.get("exception", e))[-400:] for e in found]

    def traces(self) -> list[str]:
        """Return what is left of it: processes that name the home, sockets, the lock."""
        run = self.home / "run"
        paths = [run / "api.sock", run / "daemon.lock", *(run / "pg").glob(".s.PGSQL*")]
        paths += [Path(f"/tmp/tmux-{os.getuid()}") / self.socket_name]  # noqa: S108 - tmux's own place
        return [*processes_naming(self.home), *(str(path) for path in paths if path.exists())]

    def log(self) -> str:
        """Return the end of the daemon's log."""
        try:
            lines = (self.home / "run" / "mosaic.log").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(lines[-40:])


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that only waits to be collected does not."""
    try:
        state = (
            Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
        )
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def processes_naming(home: Path) -> list[str]:
    """Return every other process whose command line or environment names a directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            words = _read(entry / "cmdline") + b"\0" + _read(entry / "environ")
            if os.fsencode(home) in words and is_alive(int(entry.name)):
                found.append(f"{entry.name}: {words[:200]!r}")
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _entry(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"line": line, "event": ""}
