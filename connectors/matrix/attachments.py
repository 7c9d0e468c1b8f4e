"""Files in events: what somebody sent, and how ours are named.

Source: Matrix client-server API, "m.file", "m.image", "m.audio", "m.video", "Sending encrypted attachments";
MSC2530 (captions: ``filename`` beside a ``body`` that says something else).
"""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.enclosure import Attachment, Enclosure

FILE_TYPES = ("m.file", "m.image", "m.audio", "m.video")
UNKNOWN_TYPE = "application/octet-stream"

_CONTENT_URI = r"^mxc://[^/?#\s]{1,255}/[A-Za-z0-9_-]{1,255}$"
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_LARGEST = 1 << 62
_MARKED = {"image": "m.image", "audio": "m.audio", "video": "m.video"}


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class ContentKey(_Shape):
    """The key of an encrypted file: AES-256 in counter mode, as a JSON Web Key (RFC 7517)."""

    k: str = Field(max_length=64)
    alg: str = Field(pattern="^A256CTR$")


class EncryptedFile(_Shape):
    """Where an encrypted file is and what opens it (``EncryptedFile`` of the specification)."""

    url: str = Field(pattern=_CONTENT_URI)
    key: ContentKey
    iv: str = Field(max_length=64)
    hashes: dict[str, str]
    v: str = Field(pattern="^v2$")


class Reference(_Shape):
    """Where a file is: a content URI, or an encrypted file."""

    url: str | None = Field(default=None, pattern=_CONTENT_URI)
    file: EncryptedFile | None = None


def read_attachment(content: dict[str, Any]) -> Attachment | None:
    """Return the file of a message, None when it names none that can be fetched."""
    try:
        reference = Reference.model_validate(
            {key: content[key] for key in ("url", "file") if content.get(key) is not None}
        )
    except ValidationError:
        return None
    if reference.url is None and reference.file is None:
        return None
    told = content.get("info")
    info: dict[str, Any] = told if isinstance(told, dict) else {}
    return Attachment(
        name=_name(content),
        media_type=_media_type(info.get("mimetype")),
        size=_size(info.get("size")),
        reference=reference.model_dump(exclude_none=True),
    )


def caption_of(content: dict[str, Any]) -> str:
    """Return what was written below a file: the body, where a name stands beside it that differs."""
    body, name = content.get("body"), content.get("filename")
    if isinstance(body, str) and isinstance(name, str) and name and body != name:
        return body
    return ""


def file_content(file: Enclosure, caption: str, where: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a file's event; ``where`` is its ``url``, or its ``file`` when it is encrypted."""
    family = file.media_type.partition("/")[0]
    return {
        "msgtype": _MARKED.get(family, "m.file"),
        "body": caption or file.name,
        "filename": file.name,
        "info": {"mimetype": file.media_type, "size": file.size},
        **where,
    }


def _name(content: dict[str, Any]) -> str:
    given = (content.get("filename"), content.get("body"))
    return next((one for one in given if isinstance(one, str) and one.strip()), "file")


def _media_type(told: object) -> str:
    """Return a declared type without its parameters, in lower case; anything odd is unknown."""
    word = told.partition(";")[0].strip().lower() if isinstance(told, str) else ""
    return word if _MEDIA_TYPE.fullmatch(word) else UNKNOWN_TYPE


def _size(told: object) -> int | None:
    whole = isinstance(told, int) and not isinstance(told, bool)
    return told if whole and 0 <= told < _LARGEST else None  # type: ignore[operator,return-value]
