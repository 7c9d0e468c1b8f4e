"""The folder in which a device's keys lie: it has one owner at a time, and belongs to one device for good."""

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import nio
import peewee
import vodozemac
from nio.store import SqliteStore

from bot.errors import SetupError, UserError
from bot.lock import DaemonLock, read_pid
from connectors.matrix.crypto.identity import IdentityFile
from connectors.matrix.crypto.olm import DeviceOlm

_LOCK, _DEVICE = "owner.lock", "device.json"
_DATABASE = "keys.db"


@dataclass(frozen=True, slots=True)
class Device:
    """Whose keys they are. Token, device and keys belong together: keys of one device are useless to another."""

    user_id: str
    device_id: str


class Vault:
    """The keys of one device, at rest encrypted with ``pickle_key``.

    Open from ``open`` to ``close``; meanwhile no other process opens the same folder. ``made_at`` is when the folder
    was: nobody can have encrypted for this device before.
    """

    def __init__(self, folder: Path, pickle_key: str) -> None:
        self.folder = folder
        self.made_at = datetime.now(UTC)
        self._pickle_key = pickle_key
        self._lock = DaemonLock(folder / _LOCK)
        self._store: SqliteStore | None = None

    @property
    def identity_file(self) -> IdentityFile:
        """Where the seeds of the account's cross-signing keys lie."""
        return IdentityFile(self.folder, self._pickle_key)

    def open(self, device: Device) -> DeviceOlm:
        """Return the device's machine, made anew in an empty folder.

        Raises SetupError when another process has the folder, when its keys are another device's, or when
        they were encrypted with another pickle key; nothing is changed then.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        try:
            self._lock.acquire()
        except UserError as error:
            pid = read_pid(self.folder / _LOCK) or "unknown"
            raise SetupError(
                f"the keys in {self.folder} are in use by the process {pid}",
                hint="one process at a time may speak as this device: stop the other one",
            ) from error
        try:
            self._claim(device)
            return self._load(device)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let the folder go; harmless when it is not open."""
        if self._store is not None:
            self._store.database.close()
            self._store = None
        self._lock.release()

    def _claim(self, device: Device) -> None:
        """See to it that the folder is this device's."""
        path = self.folder / _DEVICE
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            self.made_at = datetime.fromisoformat(told.pop("made_at"))
            found = Device(**told)
        except FileNotFoundError:
            about = {**asdict(device), "made_at": self.made_at.isoformat()}
            _write_private(path, json.dumps(about))
            return
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SetupError(f"{path} does not say whose keys these are") from error
        if found != device:
            raise SetupError(
                f"the keys in {self.folder} belong to the device {found.device_id} of {found.user_id},"
                f" and MATRIX_ACCESS_TOKEN to {device.device_id} of {device.user_id}",
                hint=f"give that device's token, or move {self.folder} away: what only it could read stays unreadable",
            )

    def _load(self, device: Device) -> DeviceOlm:
        path = self.folder / _DATABASE
        if not path.exists():
            _write_private(path, "")
        try:
            self._store = SqliteStore(
                device.user_id, device.device_id, str(self.folder), self._pickle_key, _DATABASE
            )
            return DeviceOlm(device.user_id, device.device_id, self._store)
        except (vodozemac.PickleException, vodozemac.LibolmPickleException) as error:
            raise SetupError(
                f"the keys in {self.folder} were not encrypted with this MATRIX_PICKLE_KEY",
                hint="give the key with which the folder was made",
            ) from error
        except (nio.exceptions.EncryptionError, peewee.PeeweeException, OSError) as error:
            raise SetupError(f"the keys in {self.folder} cannot be read: {error}") from error


def _write_private(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
