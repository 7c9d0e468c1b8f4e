"""Bytes of a terminal read as keys, with bracketed paste (xterm's ctlseqs); standard library only."""

import codecs
import re
from dataclasses import dataclass
from enum import Enum

_PASTE_BEGIN = b"\x1b[200~"
_PASTE_END = b"\x1b[201~"
_SEQUENCE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|O.|[^\[O])", re.DOTALL)
_PARTIAL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")


class Key(Enum):
    """A key that does something; everything else is text."""

    ENTER = b"\r"
    ERASE = b"\x7f"
    BACKSPACE = b"\x08"
    CLEAR = b"\x15"
    INTERRUPT = b"\x03"
    END = b"\x04"
    ESCAPE = b"\x1b"


@dataclass(frozen=True, slots=True)
class Typed:
    """Text that came in, by key or by paste."""

    text: str
    pasted: bool


_KEYS = {key.value[0]: key for key in Key}


class KeyReader:
    """Splits a stream of bytes, cut anywhere, into keys and text."""

    def __init__(self) -> None:
        self._rest = b""
        self._pasting = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, content: bytes) -> list[Key | Typed]:
        """Return what the bytes so far amount to; an unfinished sequence waits for its end."""
        self._rest += content
        found: list[Key | Typed] = []
        while self._rest and self._step(found):
            pass
        return found

    @property
    def waits(self) -> bool:
        """Whether an ESC has come that is a key by itself unless more follows at once."""
        return self._rest == b"\x1b" and not self._pasting

    def settle(self) -> list[Key | Typed]:
        """Return what still waited, once nothing more came: a lone ESC is the escape key."""
        if self.waits:
            self._rest = b""
            return [Key.ESCAPE]
        return []

    def _step(self, found: list[Key | Typed]) -> bool:
        if self._pasting:
            return self._step_paste(found)
        if self._rest.startswith(_PASTE_BEGIN):
            self._rest = self._rest[len(_PASTE_BEGIN) :]
            self._pasting = True
            return True
        if self._rest[0] == 0x1B:
            return self._step_sequence()
        key = _KEYS.get(self._rest[0])
        if key is not None:
            self._rest = self._rest[1:]
            found.append(key)
            return True
        end = next((at for at, byte in enumerate(self._rest) if byte in _KEYS), len(self._rest))
        self._take(end, found)
        return True

    def _step_sequence(self) -> bool:
        sequence = _SEQUENCE.match(self._rest)
        if sequence is None:
            # Not a whole one yet, unless it can never become one: then the ESC alone is dropped.
            if _PARTIAL.match(self._rest) is None:
                self._rest = self._rest[1:]
                return True
            return False
        self._rest = self._rest[sequence.end() :]
        return True

    def _step_paste(self, found: list[Key | Typed]) -> bool:
        end = self._rest.find(_PASTE_END)
        if end >= 0:
            self._take(end, found)
            self._rest = self._rest[len(_PASTE_END) :]
            self._pasting = False
            return True
        # The end mark may have been cut: keep what could be its beginning.
        kept = next((n for n in range(5, 0, -1) if self._rest.endswith(_PASTE_END[:n])), 0)
        self._take(len(self._rest) - kept, found)
        return False

    def _take(self, length: int, found: list[Key | Typed]) -> None:
        text = self._decoder.decode(self._rest[:length])
        self._rest = self._rest[length:]
        if text:
            found.append(Typed(text, self._pasting))
