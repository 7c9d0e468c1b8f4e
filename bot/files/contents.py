"""The bytes of a file that goes with a message, wherever they are kept."""

from collections.abc import AsyncIterator

from bot.enclosure import Enclosure
from bot.ports import Contents

_PIECE = 64 * 1024


async def bytes_of(file: Enclosure, contents: Contents) -> AsyncIterator[bytes]:
    """Give a file's bytes in pieces; UserError ``gone`` when they are not kept any more."""
    if file.words is None:
        async for piece in contents.read(file.content):
            yield piece
        return
    whole = file.words.encode()
    for start in range(0, len(whole), _PIECE):
        yield whole[start : start + _PIECE]
