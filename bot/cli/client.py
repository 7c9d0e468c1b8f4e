"""Calls the daemon over its unix socket, with nothing but the standard library."""

import http.client
import json
import socket
from typing import Any

from bot.errors import ConfirmationRequired, MosaicError, TransientError, UserError

_EXIT_STATUS = {"usage": 2, "unknown_command": 2, "not_running": 3}


def exit_status(code: str) -> int:
    """Return the exit status of an error's code (spec 3-contracts)."""
    return _EXIT_STATUS.get(code, 1)


class NotRunning(MosaicError):  # noqa: N818 - a state, not a fault
    """Nobody listens on the daemon's socket."""

    code = "not_running"

    def __init__(self) -> None:
        super().__init__("the daemon is not running", hint="start it with `mosaic up`")


class Client:
    """Calls over one socket; ``token`` says who calls, without it the process's user does."""

    def __init__(self, path: str, token: str | None = None) -> None:
        self._path = path
        self._token = token

    def call(
        self, method: str, target: str, body: Any = None, *, seconds: float | None = None
    ) -> dict[str, Any]:
        """Return the answer's JSON object.

        Raises NotRunning, TransientError when no whole answer comes (within ``seconds``, if given), and the
        daemon's own refusal as an error with its code, message and hint.
        """
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        connection = _UnixConnection(self._path, seconds)
        try:
            connection.request(method, target, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            return _read(response.status, response.read())
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NotRunning from error
        except TimeoutError as error:
            raise TransientError(f"the daemon did not answer within {seconds:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise TransientError(
                f"the daemon hung up before it answered ({type(error).__name__})",
                hint="`mosaic status` says whether it runs, `mosaic logs` why not",
            ) from error
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, seconds: float | None) -> None:
        super().__init__("mosaic", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _read(status: int, raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise TransientError(
            "the daemon's answer is not JSON; is another program there?"
        ) from error
    if not isinstance(document, dict):
        raise TransientError("the daemon's answer is not a JSON object")
    if status >= http.client.BAD_REQUEST:
        error_ = document.get("error") or {}
        message = str(error_.get("message") or f"the daemon answered with status {status}")
        if error_.get("code") == ConfirmationRequired.code:
            shown, named = document.get("blocks") or (), document.get("preview_id")
            raise ConfirmationRequired(message, shown, named)
        raise UserError(message, code=error_.get("code") or "failed", hint=error_.get("hint"))
    return document
