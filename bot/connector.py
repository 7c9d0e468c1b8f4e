"""What a connector says of itself: what its platform can show, and how it is."""

from dataclasses import dataclass
from datetime import timedelta

from bot.model import Gap


@dataclass(frozen=True, slots=True)
class ConnectorHealth:
    """How a connector is: ``reachable`` means the other side answers, ``authenticated`` that it knows us.

    In ``safe_mode`` it reads, and a person must act before it says everything again: ``detail`` says what.
    """

    reachable: bool
    authenticated: bool
    state: str
    last_inbound_age: timedelta | None = None
    last_roundtrip_ms: float | None = None
    gap: Gap | None = None
    detail: str = ""
    safe_mode: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can show. ``max_bytes`` bounds one event's text and markup together.

    ``edits``: what stands there can be changed, and people's edits and redactions come in. ``reactions``: our marks
    are shown; ``choices``: people's marks come in, so offers stand below their message, as ``buttons`` if it has
    those. ``file_bytes`` bounds a file, 0 means none; what takes more than ``most_parts`` events is folded into one.
    ``rooms``: we can make rooms and pin there, ``card_threads``: and threads for cards; ``encrypts``: we can talk in
    encrypted ones; ``embeds``: it shows blocks itself. ``markdown``: text is shown as chat Markdown
    (bot/render/chat_markdown.py), so it is written as that.
    """

    threads: bool
    html: bool
    reactions: bool
    edits: bool
    typing: bool
    max_bytes: int
    choices: bool = False
    file_bytes: int = 0
    most_parts: int = 3
    rooms: bool = False
    encrypts: bool = False
    card_threads: bool = False
    embeds: bool = False
    buttons: bool = False
    markdown: bool = False
