"""The text that an agent sees: a header, the body, an end mark (spec 4-receipts, step 1).

The first character is ``[`` and the last one ``]``, whatever the body is: no program takes the text for a
command (``!``, ``/``), a line to be continued (a backslash) or a mention (``@word``).
"""

import re
import unicodedata

from bot.mail.post import spoken, spoken_principal
from bot.model import Address

_HEADER = re.compile(r"\s*\[from [^\n]* \| id (?P<id>[^\s\]]+)\][ \t]*(?:\n|$)")
_KEPT_CONTROLS = frozenset("\n\t")


def sanitise(text: str) -> str:
    """Return a text without control characters except newline and tab; every line end becomes a newline."""
    joined = text.replace("\r\n", "\n").replace("\r", "\n")
    clean = "".join(
        character
        for character in joined
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in {"Cc", "Cs"}
    )
    return clean.replace("\u2028", "\n").replace("\u2029", "\n")


def label(principal_id: str) -> str:
    """Return how a sender is called in a header: ``HOST:SESSION`` for an agent, else the principal's id."""
    line = " ".join(sanitise(spoken_principal(principal_id)).split())
    return line.replace("|", "/").replace("[", "(").replace("]", ")")


def end_mark(message_id: str) -> str:
    """Return the last line of a message's text."""
    return f"[end {message_id}]"


def wrap(*, message_id: str, author: str, to: Address, tag: str, body: str) -> str:
    """Return the whole text that is pasted for a message to an agent."""
    header = (
        f"[from {label(author)} → to {spoken(to.place)} | class {label(tag)} | id {message_id}]"
    )
    return "\n".join((header, sanitise(body).strip("\n"), end_mark(message_id)))


def message_ids_of(text: str) -> tuple[str, ...]:
    """Return the ids of the messages that a prompt consists of, in order.

    It begins with a header, or there is none of ours. Gemini CLI makes one prompt of messages that it queued:
    where one ends, the next may begin. A header before that end is only quoted.
    """
    ids: list[str] = []
    found = _HEADER.match(text)
    while found is not None:
        ids.append(found["id"])
        _, mark, text = text.partition(f"\n{end_mark(found['id'])}")
        found = _HEADER.match(text) if mark else None
    return tuple(ids)
