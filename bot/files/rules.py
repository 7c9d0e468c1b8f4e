"""Which files of people are taken, under which names, and what their bytes show them to be.

Nothing that was sent is ever run, and none is trusted to be what it says: the first bytes are looked at. They
are kept without any right to execute, under a name that no shell, terminal or path reads as more than a name.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from bot.enclosure import Attachment
from bot.errors import UserError

LOOKED_AT = 4096
"""Bytes: what is enough to tell what a file is."""

UNKNOWN, EXECUTABLE, PLAIN = "application/octet-stream", "application/x-executable", "text/plain"

TAKEN_TYPES = (
    "text/*",
    "image/*",
    "audio/*",
    "video/*",
    "application/pdf",
    "application/json",
    "application/xml",
    "application/yaml",
    "application/toml",
    "application/zip",
    "application/gzip",
    "application/x-tar",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
)
"""What is taken unless the settings say otherwise: what agents can read, and nothing that runs."""

_LONGEST_NAME = 120
_MOST_BYTES = 200
_LONGEST_ENDING = 16
_PLAIN_CHARACTERS = frozenset(" ._-()+,@")
_RUNS = re.compile(r"[\s_]+")

_SIGNATURES: Sequence[tuple[int, bytes, str]] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"(\xb5/\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf'\x1c", "application/x-7z-compressed"),
    (257, b"ustar", "application/x-tar"),
    (0, b"\x7fELF", EXECUTABLE),
    (0, b"\xfe\xed\xfa", EXECUTABLE),
    (0, b"\xce\xfa\xed\xfe", EXECUTABLE),
    (0, b"\xcf\xfa\xed\xfe", EXECUTABLE),
    (0, b"\xca\xfe\xba\xbe", EXECUTABLE),
    (0, b"\x00asm", EXECUTABLE),
    (0, b"dex\n", EXECUTABLE),
)
_TEXTS = re.compile(
    r"text/.*|image/svg\+xml|application/(.*\+)?(json|xml|yaml|x-yaml|toml|javascript|sql|x-sh)"
)
_CERTAIN = ("image/", "application/pdf", "application/zip", "application/gzip")


@dataclass(frozen=True, slots=True)
class FileRules:
    """``types`` are media types, ``text/*`` for all of a family; sizes are in bytes.

    ``folder_bytes`` bounds all files that are kept for one card, or in one agent's inbox.
    """

    max_bytes: int
    folder_bytes: int
    types: tuple[str, ...]

    def check_size(self, size: int, used: int, *, so_far: bool = False) -> None:
        """Raise UserError when a file of this size is too large, or its folder would be.

        ``so_far`` says that there is more of it to come.
        """
        least = "at least " if so_far else ""
        if size > self.max_bytes:
            raise UserError(
                f"it has {least}{size:,} bytes; the limit is {self.max_bytes:,} bytes",
                code="too_large",
            )
        if used + size > self.folder_bytes:
            raise UserError(
                f"its {least}{size:,} bytes do not fit: {used:,} of {self.folder_bytes:,} bytes"
                " are taken there",
                code="quota",
            )

    def check_said_type(self, attachment: Attachment) -> None:
        """Raise UserError when a file is of a type that is not taken, whatever its bytes show."""
        said = attachment.media_type
        if not (said == UNKNOWN or self._takes(said) or self._takes(PLAIN)):
            raise self._refusal(said)

    def check_bytes(self, attachment: Attachment, beginning: bytes) -> str:
        """Return the media type that a file is kept as; UserError when its bytes are not what it says."""
        shown, said = shown_type(beginning), attachment.media_type
        if shown == EXECUTABLE and not self._takes(EXECUTABLE):
            raise UserError("it is a program, and programs are not taken", code="type")
        if said == UNKNOWN:
            said = shown
        elif not _fits(said, shown):
            raise UserError(f"it says that it is {said}, and its bytes show {shown}", code="type")
        if self._takes(said):
            return said
        if shown == PLAIN and self._takes(PLAIN):
            return PLAIN
        raise self._refusal(said)

    def _takes(self, media_type: str) -> bool:
        family = media_type.partition("/")[0]
        return media_type in self.types or f"{family}/*" in self.types

    def _refusal(self, media_type: str) -> UserError:
        return UserError(
            f"its type is {media_type}; taken are {', '.join(self.types) or 'none'}", code="type"
        )


def shown_type(beginning: bytes) -> str:
    """Return what a file's first bytes show it to be: a known form, plain text, or unknown."""
    for offset, mark, media_type in _SIGNATURES:
        if beginning.startswith(mark, offset):
            return media_type
    if _is_text(beginning):
        return PLAIN
    return EXECUTABLE if beginning.startswith(b"MZ") else UNKNOWN


def _is_text(beginning: bytes) -> bool:
    if b"\x00" in beginning:
        return False
    try:
        beginning.decode("utf-8")
    except UnicodeDecodeError as error:
        # The last character may have been cut through.
        return len(beginning) >= LOOKED_AT and error.start >= len(beginning) - 3
    return True


def _fits(said: str, shown: str) -> bool:
    if _TEXTS.fullmatch(said):
        return shown == PLAIN
    if said.startswith(_CERTAIN):
        return shown.partition("/")[0] == "image" if said.startswith("image/") else shown == said
    return True


def safe_name(name: str) -> str:
    """Return a name for a file that is nothing but a name, whatever was given.

    Of a path the last step is left. Letters, digits and `` ._-()+,@`` stay, composed (NFC), every other run
    becomes one ``_``, as do spaces. It does not begin with a dot or a dash and has at most 120 characters, its
    ending with them; nothing left is ``file``.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(c if _is_plain(c) else "_" for c in last)
    bare = _RUNS.sub("_", plain).strip("_").lstrip(".-_").rstrip("._- ")
    return _cut(bare) or "file"


def numbered_name(name: str, number: int) -> str:
    """Return a name beside one that is there already: ``plan-2.pdf``."""
    stem, ending = _parts(name)
    return _cut(f"{stem}-{number}{ending}", keep=f"-{number}{ending}")


def _is_plain(character: str) -> bool:
    return (
        character in _PLAIN_CHARACTERS
        or unicodedata.category(character)[0] in "LN"
        or (unicodedata.category(character) in {"Mn", "Mc"})
    )


def _parts(name: str) -> tuple[str, str]:
    stem, dot, ending = name.rpartition(".")
    return (stem, dot + ending) if stem and len(ending) <= _LONGEST_ENDING else (name, "")


def _cut(name: str, keep: str | None = None) -> str:
    kept = _parts(name)[1] if keep is None else keep
    stem = name[: len(name) - len(kept)][: _LONGEST_NAME - len(kept)]
    while stem and len((stem + kept).encode()) > _MOST_BYTES:
        stem = stem[:-1]
    return stem + kept
