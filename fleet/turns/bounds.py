"""The bound of a file of turns: before an agent is started anew, what is long past is cut off."""

import contextlib
from datetime import timedelta
from pathlib import Path

from bot.config.places import Places
from bot.errors import TransientError
from fleet.lock import held
from fleet.private_files import write_private
from fleet.turns.events import read_offset, size_of

MOST_BYTES = 8 << 20
KEPT_BYTES = 1 << 20
_PATIENCE = timedelta(seconds=1)


async def bound_events(
    places: Places, name: str, most: int = MOST_BYTES, kept: int = KEPT_BYTES
) -> bool:
    """Leave the newest ``kept`` bytes of an agent's turns when there are more than ``most``; true when it did.

    Only for an agent that does not run. It does nothing while some turns were not passed on, or while somebody
    types. Whoever follows the file finds it shorter than before and reads what was left once more: all of it is
    about mail that has its end. A crash in between leaves the old file or the new one, whole.
    """
    path, offset = places.events_file(name), places.offset_file(name)
    if size_of(path) <= most:
        return False
    with contextlib.suppress(TransientError):
        async with held(places.typing_lock_file(name), _PATIENCE):
            if read_offset(offset) != size_of(path):
                return False
            newest = _newest(path, kept)
            # First this: an old offset could lie within what the new file becomes while nobody follows it.
            write_private(offset, "0")
            write_private(path, newest)
            return True
    return False


def _newest(path: Path, kept: int) -> str:
    """Return the last whole lines of a file, in at most that many bytes."""
    with path.open("rb") as file:
        file.seek(-kept - 1, 2)
        # Of a line that is cut in two, the rest says nothing.
        return file.read().partition(b"\n")[2].decode("utf-8", "replace")
