"""Files up and down: the homeserver's content repository, in pieces, encrypted where the room is.

Source: Matrix client-server API v1.11, "Content repository" (authenticated media), "Sending encrypted
attachments". A file is encrypted here and opened here: the homeserver of an encrypted room sees neither its
bytes nor its name.
"""

import contextlib
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import unpaddedbase64
from Crypto.Cipher import AES
from Crypto.Util import Counter
from nio.crypto.async_attachments import async_encrypt_attachment

from bot.errors import MosaicError, UserError
from connectors.matrix.attachments import EncryptedFile, Reference
from connectors.matrix.session import Session

_UPLOAD = "/_matrix/media/v3/upload"
_NEW, _OLD = "/_matrix/client/v1/media", "/_matrix/media/v3"
_UNKNOWN_PATH = frozenset({"M_UNRECOGNIZED", "refused"})
"""What a server says that has no authenticated media; without an errcode a UserError's code is ``refused``."""

_PIECE = 64 * 1024
_PATIENCE = timedelta(seconds=90)
"""For one file, up or down; a delivery's lease is longer."""

_USUAL_LIMIT = 50 * 1024 * 1024
"""Bytes: what homeservers take that do not say it."""

_SEALED_TYPE = "application/octet-stream"


class Media:
    """The files of one account. ``limit`` is how large a file the homeserver takes, in bytes."""

    def __init__(self, session: Session) -> None:
        self.limit = _USUAL_LIMIT
        self._session = session
        self._base = _NEW

    async def ask_limit(self) -> None:
        """Ask how large a file may be; when that is not known ``limit`` stays as it is."""
        told: dict[str, Any] = {}
        try:
            told = await self._config()
        except UserError as error:
            if self._fall_back(error):
                with contextlib.suppress(MosaicError):
                    told = await self._config()
        except MosaicError:
            return  # it is asked again at the next start; nothing waits for it
        size = told.get("m.upload.size")
        if isinstance(size, int) and not isinstance(size, bool) and size > 0:
            self.limit = size

    async def _config(self) -> dict[str, Any]:
        return await self._session.ask_json("asking how large files may be", self._base + "/config")

    async def put(
        self, chunks: AsyncIterator[bytes], size: int, name: str, media_type: str, *, sealed: bool
    ) -> dict[str, Any]:
        """Upload a file of ``size`` bytes; return what its event says of it: ``url``, or ``file`` if ``sealed``.

        Repeating it leaves another copy on the homeserver, of which no event tells.
        """
        if size > self.limit:
            raise UserError(
                f"{name} has {size} bytes; the homeserver takes {self.limit}", code="M_TOO_LARGE"
            )
        if not sealed:
            path = f"{_UPLOAD}?filename={quote(name, safe='')}"
            return {"url": await self._session.upload(path, chunks, size, media_type, _PATIENCE)}
        keys: dict[str, Any] = {}
        # Counter mode: as many bytes as before, and the name stays with us.
        ciphertext = _encrypted(chunks, keys)
        url = await self._session.upload(_UPLOAD, ciphertext, size, _SEALED_TYPE, _PATIENCE)
        return {"file": {"url": url, **keys}}

    async def get(self, reference: dict[str, Any]) -> AsyncIterator[bytes]:
        """Give a file's bytes in clear; UserError ``damaged`` at the end when they are not what was sent."""
        found = Reference.model_validate(reference)
        if found.file is not None:
            lock = _Lock(found.file)
            async for piece in self._download(found.file.url):
                yield lock.open(piece)
            lock.verify()
        elif found.url is not None:
            async for piece in self._download(found.url):
                yield piece

    async def _download(self, url: str) -> AsyncIterator[bytes]:
        path = "/download/" + quote(url.removeprefix("mxc://"), safe="/:[]")
        try:
            async for piece in self._session.download(self._base + path, _PIECE, _PATIENCE):
                yield piece
        except UserError as error:
            if not self._fall_back(error):
                raise
            async for piece in self._session.download(self._base + path, _PIECE, _PATIENCE):
                yield piece

    def _fall_back(self, error: MosaicError) -> bool:
        """Go over to the older paths when the server knows the newer ones not; refused before any byte came."""
        if self._base == _OLD or error.code not in _UNKNOWN_PATH:
            return False
        self._base = _OLD
        return True


class _Lock:
    """Opens an encrypted file piece by piece, and tells at the end whether it was whole."""

    def __init__(self, file: EncryptedFile) -> None:
        try:
            key, start = (unpaddedbase64.decode_base64(word) for word in (file.key.k, file.iv))
            self._expected = unpaddedbase64.decode_base64(file.hashes.get("sha256", ""))
            counter = Counter.new(
                64, prefix=start[:8], initial_value=int.from_bytes(start[8:16], "big")
            )
            self._cipher = AES.new(key, AES.MODE_CTR, counter=counter)
        except (ValueError, TypeError) as error:
            raise UserError("the file's key is none", code="damaged") from error
        self._seen = hashlib.sha256()

    def open(self, piece: bytes) -> bytes:
        self._seen.update(piece)
        return self._cipher.decrypt(piece)

    def verify(self) -> None:
        if self._seen.digest() != self._expected:
            raise UserError(
                "the encrypted file is not the one that was sent: its SHA-256 differs",
                code="damaged",
            )


async def _encrypted(chunks: AsyncIterator[bytes], keys: dict[str, Any]) -> AsyncIterator[bytes]:
    """Give encrypted bytes; when they have ended ``keys`` holds what opens them."""
    async for piece in async_encrypt_attachment(chunks):
        if isinstance(piece, dict):
            keys |= piece
        else:
            yield piece
