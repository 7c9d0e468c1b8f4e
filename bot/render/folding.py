"""Events of a message: its words in as many as they need, its files, and what is too long as a file of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.connector import Capabilities
from bot.enclosure import Enclosure, size_text
from bot.model import Message, MessageKind
from bot.render.rendering import Rendered, joined, render, whole_text
from bot.reply import Block, Markdown, Text

_BEGINNING = 4096
"""Bytes of text and HTML that are shown of a message whose whole is in a file."""

_CALLED = {MessageKind.ANSWER: "answer", MessageKind.REPLY: "reply"}


@dataclass(frozen=True, slots=True)
class Page:
    """One event: words, or a file with the words below it."""

    words: Rendered
    file: Enclosure | None = None


def pages_of(message: Message, choices: Sequence[Block], limits: Capabilities) -> tuple[Page, ...]:
    """Return a message as the events that it becomes where these limits hold.

    ``choices`` say what may be chosen; they stay in sight. What would take more than ``most_parts`` events is
    shown by its beginning, the whole follows as a file. A file that the place does not take is named in words,
    with where it lies. An edit is one event: of it, what does not fit is left out, and files are.
    """
    sent = [file for file in message.files if file.size <= limits.file_bytes]
    unsent = [Text(_unsent(file)) for file in message.files if file not in sent]
    blocks = (*message.blocks, *unsent, *choices)
    rendered = render(blocks, limits.max_bytes, **_look(limits)) if blocks or not sent else ()
    if message.replaces is not None:
        return (Page(rendered[0]),)
    if len(rendered) > limits.most_parts:
        whole = _whole(message)
        if whole.size <= limits.file_bytes:
            shown = _beginning(message, whole, (*unsent, *choices), limits)
            return (Page(shown), *(Page(_NOTHING, file) for file in (whole, *sent)))
    if len(sent) == 1 and len(rendered) <= 1 and not choices:
        return (Page(rendered[0] if rendered else _NOTHING, sent[0]),)
    return (*map(Page, rendered), *(Page(_NOTHING, file) for file in sent))


_NOTHING = Rendered("", "")


def _whole(message: Message) -> Enclosure:
    words = whole_text(message.blocks)
    marked = any(isinstance(block, Markdown) for block in message.blocks)
    kind, ending = ("text/markdown", "md") if marked else ("text/plain", "txt")
    name = f"{_CALLED.get(message.kind, 'notice')}-{message.id[:8]}.{ending}"
    return Enclosure(name, kind, len(words.encode()), words=words)


def _beginning(
    message: Message, whole: Enclosure, after: Sequence[Block], limits: Capabilities
) -> Rendered:
    lines = (whole.words or "").count("\n") + 1
    note = Text(f"… The whole is in {whole.name}: {lines} lines, {size_text(whole.size)}.")
    look = _look(limits)
    # The gap between the two is taken off their halves.
    room = limits.max_bytes // 2 - 1
    head = render(message.blocks, min(_BEGINNING, room), **look)[0]
    return joined((head, render((note, *after), room, **look)[0]))


def _look(limits: Capabilities) -> dict[str, bool]:
    return {"terminal": not (limits.html or limits.markdown), "markdown": limits.markdown}


def _unsent(file: Enclosure) -> str:
    where = f"It lies at {file.path}" if file.path else "It is kept by the daemon"
    return f"File {file.name} ({file.media_type}, {size_text(file.size)}). {where}."
