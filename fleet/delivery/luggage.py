"""Files that go with mail: put on the agent's host before its text is typed, which names where they lie."""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import structlog

from bot.config.places import Places
from bot.enclosure import Enclosure, size_text
from bot.errors import TransientError, UserError
from bot.files.contents import bytes_of
from bot.model import Delivery, Receipt, SendResult
from bot.ports import Carrier, Contents


class Luggage:
    """A carrier in front of another one: brings mail's files to this host, then lets the other one carry the words.

    A file lies in its reader's inbox or its card's folder, mode 0600 in directories of mode 0700, under the name
    that it has for ever; one that lies there already is left as it is. Whoever wrote the mail chose nothing of
    its path.
    """

    def __init__(self, carrier: Carrier, places: Places, contents: Contents) -> None:
        self._carrier = carrier
        self._places = places
        self._contents = contents
        self._log = structlog.get_logger(part="luggage")

    async def carry(
        self, delivery: Delivery, record: Callable[[Receipt], Awaitable[None]]
    ) -> SendResult:
        """Carry mail with its files; TransientError while they cannot be had or written."""
        files = delivery.outbound.files
        if not files:
            return await self._carrier.carry(delivery, record)
        name = delivery.outbound.to.place.partition("/")[2]
        paths = [self._places.folder_of(name, file.card) / file.name for file in files]
        if not delivery.typed:
            for file, path in zip(files, paths, strict=True):
                await self._put(file, path)
        text = f"{delivery.outbound.text.rstrip()}\n\n{_listed(files, paths)}"
        outbound = replace(delivery.outbound, text=text, files=())
        return await self._carrier.carry(replace(delivery, outbound=outbound), record)

    async def _put(self, file: Enclosure, path: Path) -> None:
        try:
            _make_folder(path.parent, self._places.home)
            if _is_there(path, file.size):
                return
            await self._write(file, path)
        except UserError as error:
            self._log.warning("file is gone", path=str(path), error=error.message)
        except OSError as error:
            raise TransientError(f"{path} cannot be written: {error.strerror}") from error

    async def _write(self, file: Enclosure, path: Path) -> None:
        draft = path.with_name(f".{path.name[:100]}.new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(handle, "wb") as target:
                async for piece in bytes_of(file, self._contents):
                    await asyncio.to_thread(target.write, piece)
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise


def remove_files(places: Places, names: Sequence[str]) -> int:
    """Remove this host's copies of files given up, named ``FOLDER/NAME``; return how many there were."""
    count = 0
    for name in names:
        folder, _, file = name.rpartition("/")
        kind, _, where = folder.partition(":")
        if kind == "card":
            path = places.folder_of("", where) / file
        else:
            path = places.folder_of(where.partition("/")[2], None) / file
        if path.exists() or path.is_symlink():
            path.unlink()
            count += 1
    return count


def _listed(files: Sequence[Enclosure], paths: Sequence[Path]) -> str:
    lines = [
        f"* {path} ({file.media_type}, {size_text(file.size)})"
        for file, path in zip(files, paths, strict=True)
    ]
    return "\n".join(("Files:", *lines))


def _make_folder(folder: Path, home: Path) -> None:
    """Make a folder below the home with all between, for our own eyes; none of them may lead elsewhere."""
    steps = folder.relative_to(home).parts
    for number in range(1, len(steps) + 1):
        step = home.joinpath(*steps[:number])
        step.mkdir(mode=0o700, exist_ok=True)
        if step.is_symlink():
            raise OSError(0, f"{step} is a link, and files are not put through one")


def _is_there(path: Path, size: int) -> bool:
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_size == size
