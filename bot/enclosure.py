"""Files as they travel: what somebody sent us, and what goes with a message of ours."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that somebody sent, as the platform tells of it: nothing of it was fetched or looked at.

    ``size`` is what its sender says, in bytes; None when that one says nothing. ``reference`` is JSON by which
    its connector, and nobody else, finds the bytes (port FetchesFiles); it may hold a key.
    """

    name: str
    media_type: str
    size: int | None
    reference: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with a message of ours.

    ``content`` is the id of its bytes in the store (port Contents), ``size`` their number. ``words`` are the bytes
    themselves, as text, of a file that was made of a long message; then there is no ``content``. ``path`` is
    where the file lies on the host that it came from, for places that take no files. ``card`` is the card in
    whose folder it belongs at its reader, None for the reader's inbox.
    """

    name: str
    media_type: str
    size: int
    content: str = ""
    words: str | None = None
    path: str = ""
    card: str | None = None


def files_to_json(files: Sequence[Enclosure | Attachment]) -> list[dict[str, Any]] | None:
    """Return files as JSON-ready values, the form in which they are stored; None for no files."""
    return [asdict(file) for file in files] or None


def enclosures_from_json(values: Sequence[dict[str, Any]] | None) -> tuple[Enclosure, ...]:
    """Return what ``files_to_json`` made of enclosures."""
    return tuple(Enclosure(**value) for value in values or ())


def attachments_from_json(values: Sequence[dict[str, Any]] | None) -> tuple[Attachment, ...]:
    """Return what ``files_to_json`` made of attachments."""
    return tuple(Attachment(**value) for value in values or ())


def size_text(size: int) -> str:
    """Return a number of bytes as people read it, such as ``1.2 MiB``."""
    amount, unit = float(size), "bytes"
    for larger in ("KiB", "MiB", "GiB"):
        if amount < 1000:
            break
        amount, unit = amount / 1024, larger
    return f"{size} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
