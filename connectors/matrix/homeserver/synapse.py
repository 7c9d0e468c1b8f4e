"""A real Synapse as a child process, on loopback, with sqlite, everything in one private directory.

Source: Synapse's configuration manual; what was measured stands in spec 5-real-parts, "Matrix".
"""

import asyncio
import base64
import contextlib
import importlib.util
import os
import secrets
import signal
import socket
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from bot.errors import SetupError, TransientError

SERVER_NAME = "localhost"
_HOST = "127.0.0.1"
_MODULE = "synapse.app.homeserver"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.05
_SHOWN_BYTES = 2000
_FREE = {"per_second": 10_000, "burst_count": 10_000}

_NO_LIMITS: dict[str, Any] = {
    "rc_message": _FREE,
    "rc_registration": _FREE,
    "rc_login": {"address": _FREE, "account": _FREE, "failed_attempts": _FREE},
    "rc_joins": {"local": _FREE, "remote": _FREE},
    "rc_joins_per_room": _FREE,
    "rc_invites": {"per_room": _FREE, "per_user": _FREE, "per_issuer": _FREE},
    "rc_room_creation": _FREE,
}


class Synapse:
    """One server: ``start`` returns when it answers, ``stop`` when its process is gone.

    A process that an earlier owner of the directory left behind is ended first; a port that somebody
    else holds is a SetupError. With ``limited`` the server keeps its default rate limits.
    """

    def __init__(self, directory: Path, port: int, *, limited: bool = False) -> None:
        self.directory = directory
        self.url = f"http://{_HOST}:{port}"
        self._port = port
        self._limited = limited
        self._process: asyncio.subprocess.Process | None = None

    @property
    def registration_secret(self) -> str:
        """The secret with which accounts are made; drawn at first use, kept in a 0600 file."""
        return _kept_secret(self.directory / "registration.secret", secrets.token_urlsafe(32))

    @property
    def pid(self) -> int | None:
        """The running server's process, None when there is none."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    async def start(self) -> None:
        """Start the server; SetupError when it cannot, TransientError when it took too long."""
        require("synapse")
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        await self._end_leftover()
        config = self._write_config()
        output = _open_private(self.directory / "synapse.out")
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _MODULE, "--config-path", str(config),
                cwd=self.directory, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                env=_environment(), start_new_session=True,
            )  # fmt: skip
        finally:
            os.close(output)
        _write_private(self._pid_file, f"{self._process.pid}\n")
        try:
            await self._await_answer(self._process)
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """Return the exit status once the process has ended by itself or was killed."""
        return 0 if self._process is None else await self._process.wait()

    async def stop(self) -> None:
        """End the process, politely first."""
        process, self._process = self._process, None
        if process is not None:
            await _end(process)
            self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """Kill the process at once, as a crash would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    def set_aside(self) -> None:
        """Begin with an empty database; one that is there is kept under another name."""
        stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
        for path in self.directory.glob("homeserver.db*"):
            if ".unused-" not in path.name:
                path.rename(path.with_name(f"{path.name}.unused-{stamp}"))

    @property
    def _pid_file(self) -> Path:
        return self.directory / "synapse.pid"

    @property
    def _config_file(self) -> Path:
        return self.directory / "homeserver.yaml"

    async def _await_answer(self, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(_START_SECONDS), aiohttp.ClientSession() as http:
                while not await _answers(http, self.url):
                    if process.returncode is not None:
                        raise SetupError(
                            f"Synapse ended with status {process.returncode}: {self._last_words()}"
                        )
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise TransientError(f"Synapse does not answer after {_START_SECONDS:.0f} s") from error

    def _last_words(self) -> str:
        raw = (self.directory / "synapse.out").read_bytes()[-_SHOWN_BYTES:]
        return raw.decode("utf-8", "replace").strip() or "it said nothing"

    async def _end_leftover(self) -> None:
        """End the server of an owner that was killed; SetupError when the port is not free then."""
        pid = self._leftover()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        patience = time.monotonic() + (0 if pid is None else _STOP_SECONDS)
        while (problem := _port_problem(self._port)) is not None:
            if time.monotonic() > patience:
                raise SetupError(
                    f"port {self._port} for the homeserver: {problem}",
                    hint="end what listens there, or choose another port",
                )
            await asyncio.sleep(_POLL_SECONDS)

    def _leftover(self) -> int | None:
        """Return the pid that an earlier owner wrote down, if that process still runs our configuration."""
        try:
            pid = int(self._pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        ours = os.fsencode(self._config_file) in command and _MODULE.encode() in command
        return pid if ours else None

    def _write_config(self) -> Path:
        _kept_secret(
            self.directory / "signing.key",
            f"ed25519 a_{secrets.token_hex(3)} {_unpadded(secrets.token_bytes(32))}",
        )
        log = {
            "version": 1,
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": "ERROR", "handlers": ["out"]},
        }
        _write_private(self.directory / "log.yaml", yaml.safe_dump(log))
        _write_private(self._config_file, yaml.safe_dump(self._config()))
        return self._config_file

    def _config(self) -> dict[str, Any]:
        database = self.directory / "homeserver.db"
        listener = {
            "port": self._port,
            "bind_addresses": [_HOST],
            "type": "http",
            "tls": False,
            "resources": [{"names": ["client"], "compress": False}],
        }
        return {
            "server_name": SERVER_NAME,
            "public_baseurl": f"{self.url}/",
            "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": str(database)}},
            "signing_key_path": str(self.directory / "signing.key"),
            "media_store_path": str(self.directory / "media"),
            "log_config": str(self.directory / "log.yaml"),
            "registration_shared_secret": self.registration_secret,
            "macaroon_secret_key": _kept_secret(
                self.directory / "macaroon.secret", secrets.token_urlsafe(32)
            ),
            "report_stats": False,
            "trusted_key_servers": [],
            "suppress_key_server_warning": True,
            "federation_domain_whitelist": [],
            "presence": {"enabled": False},
            "bcrypt_rounds": 4,
            **({} if self._limited else _NO_LIMITS),
        }


def require(package: str) -> None:
    """Raise SetupError when Synapse's package is not installed here."""
    if importlib.util.find_spec(package) is None:
        raise SetupError(
            "Synapse is not installed: it is the extra `homeserver`",
            hint="run `make install-homeserver`",
        )


def _environment() -> dict[str, str]:
    """Return what Synapse may see of our environment: no secret of ours is among it."""
    passed = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in passed if name in os.environ}


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/_matrix/client/versions") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, OSError):
        return False


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _port_problem(port: int) -> str | None:
    """Return why nobody can listen on a port now, None when one can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            return error.strerror or str(error)
    return None


def _unpadded(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")


def _kept_secret(path: Path, fresh: str) -> str:
    """Return a file's secret; the fresh one is written first when there is no such file."""
    if not path.exists():
        _write_private(path, fresh + "\n")
    return path.read_text().strip()


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, by rename."""
    draft = path.with_name(f".{path.name}.new")
    with os.fdopen(_open_private(draft), "w") as file:
        file.write(text)
    draft.replace(path)


def _open_private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
