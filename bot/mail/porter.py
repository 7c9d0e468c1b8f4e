"""Brings in the files that people sent: fetches, looks at them, keeps them, and says that they are there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.clock.backoff import Backoff
from bot.enclosure import Enclosure
from bot.errors import MosaicError, SetupError, TransientError, UserError
from bot.files.rules import LOOKED_AT, FileRules
from bot.files.uploads import Arrival, Arrivals, Upload, Uploads
from bot.mail.mailbox import Mailbox
from bot.mail.marks import FAILED, mail_marks, mark_on
from bot.model import Message, MessageKind, ReceiptState, derived_id
from bot.ports import Contents, FetchesFiles
from bot.problem import problem_of
from bot.reply import Text

LEASE = timedelta(minutes=10)
"""Longer than a connector takes for one file, so that none is fetched twice at once."""

_AT_ONCE = 4
_BUG_ATTEMPTS = 5
_POLL = timedelta(seconds=1)
_PATIENCE = timedelta(seconds=60)
"""How long files that are there wait for others of their group."""


@dataclass(frozen=True, slots=True)
class Waits:
    """``gather``: files sent in a row within it are told together. ``give_up``: how long a file is tried for."""

    gather: timedelta
    give_up: timedelta
    backoff: Backoff


class Porter:
    """The part that fetches uploads, several at once, and tells of them, once.

    ``fetchers`` gives the connector of a kind while it is open. Whoever sent a file is told when it is not
    taken, with the limit and the value; whom it is for gets mail with the files, and the words below them.
    """

    name = "files"

    def __init__(
        self,
        uploads: Uploads,
        arrivals: Arrivals,
        contents: Contents,
        mailbox: Mailbox,
        fetchers: Callable[[], dict[str, FetchesFiles]],
        *,
        rules: FileRules,
        owner: str,
        waits: Waits,
    ) -> None:
        self._uploads = uploads
        self._arrivals = arrivals
        self._contents = contents
        self._mailbox = mailbox
        self._fetchers = fetchers
        self._rules = rules
        self._owner = owner
        self._waits = waits
        self.wanted = asyncio.Event()
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Fetch and tell until cancelled; TransientError when the database is away, and nothing is lost."""
        while True:
            self.wanted.clear()
            busy = await self.work()
            ready("fetching what people send")
            if not busy:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL.total_seconds()):
                        await self.wanted.wait()

    async def work(self) -> bool:
        """Fetch what is due and tell of what is there; return whether anything was fetched."""
        fetchers = self._fetchers()
        claimed = await self._uploads.claim(list(fetchers), self._owner, LEASE, _AT_ONCE)
        await asyncio.gather(*(self._bring(one, fetchers[one.source.kind]) for one in claimed))
        for group in await self._arrivals.untold(self._waits.gather, _PATIENCE):
            await self._tell(group)
        return bool(claimed)

    # -- fetching --------------------------------------------------------------------------------------

    async def _bring(self, upload: Upload, fetcher: FetchesFiles) -> None:
        try:
            file = await self._fetch(upload, fetcher)
        except UserError as error:
            await self._refuse(upload, error.message)
        except (TransientError, SetupError) as error:
            await self._put_off(upload, error)
        except Exception as error:  # noqa: BLE001 - a bug with one file must not stop the others
            await self._put_off_bug(upload, error)
        else:
            await self._uploads.settle(Arrival(upload, file))
            self._log.info("file kept", upload=upload.id, folder=upload.folder, bytes=file.size)

    async def _fetch(self, upload: Upload, fetcher: FetchesFiles) -> Enclosure:
        self._rules.check_said_type(upload.attachment)
        self._rules.check_size(upload.attachment.size or 0, upload.used)
        look = _Look(upload, self._rules)
        size = await self._contents.keep(upload.id, look.at(fetcher.fetch(upload.attachment)))
        return Enclosure(upload.name, look.media_type, size, upload.id, card=upload.card)

    async def _refuse(self, upload: Upload, reason: str) -> None:
        await self._uploads.settle(Arrival(upload, None, reason))
        self._log.info("file refused", upload=upload.id, reason=reason)

    async def _put_off(self, upload: Upload, error: MosaicError) -> None:
        since = upload.wanted_at or datetime.now(UTC)
        if datetime.now(UTC) - since > self._waits.give_up:
            await self._refuse(upload, f"given up after {self._waits.give_up}: {error.message}")
            return
        wait = self._waits.backoff.wait(upload.attempts)
        told = error.retry_after if isinstance(error, TransientError) else None
        await self._uploads.postpone(upload, max(wait, told or wait), error.message)
        self._log.info("file put off", upload=upload.id, error=error.message)

    async def _put_off_bug(self, upload: Upload, error: Exception) -> None:
        problem = problem_of(error)
        if upload.attempts >= _BUG_ATTEMPTS:
            await self._refuse(upload, problem.message)
            return
        wait = self._waits.backoff.wait(upload.attempts)
        await self._uploads.postpone(upload, wait, problem.message)

    # -- telling ---------------------------------------------------------------------------------------

    async def _tell(self, group: Sequence[Arrival]) -> None:
        kept = [one for one in group if one.file is not None]
        refused = [one for one in group if one.file is None]
        messages = [*(_mail(kept) if kept else ()), *(_refusal(refused) if refused else ())]
        await self._arrivals.tell(group, self._mailbox.seal(messages))
        self._mailbox.posted.set()


class _Look:
    """Looks at a file as it comes in; ``media_type`` is what it is kept as, once enough of it was seen."""

    def __init__(self, upload: Upload, rules: FileRules) -> None:
        self.media_type = ""
        self._upload = upload
        self._rules = rules

    async def at(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Pass bytes on; UserError as soon as they are too many, or not what the file says it is."""
        beginning, size = b"", 0
        async for chunk in chunks:
            size += len(chunk)
            self._rules.check_size(size, self._upload.used, so_far=True)
            if len(beginning) < LOOKED_AT:
                beginning += chunk[: LOOKED_AT - len(beginning)]
                if len(beginning) == LOOKED_AT:
                    self._judge(beginning)
            yield chunk
        if not self.media_type:
            self._judge(beginning)

    def _judge(self, beginning: bytes) -> None:
        self.media_type = self._rules.check_bytes(self._upload.attachment, beginning)


def _mail(kept: Sequence[Arrival]) -> list[Message]:
    """Return the mail that brings files to their agent; it answers to the last event of them."""
    first, last = kept[0].upload, kept[-1].upload
    captions = [one.upload.caption for one in kept if one.upload.caption]
    card = "" if first.card is None else f" for card {first.card}"
    here = "Here is a file" if len(kept) == 1 else f"Here are {len(kept)} files"
    mail = Message(
        id=derived_id("mail", first.id),
        to=first.to,
        kind=MessageKind.MAIL,
        blocks=(Text("\n".join(captions) or f"{here}{card}."),),
        author=first.sender.id,
        origin=first.source,
        origin_event=last.event_id,
        cause=first.id,
        files=tuple(one.file for one in kept if one.file is not None),
    )
    return [mail, *mail_marks(mail, ReceiptState.STORED)]


def _refusal(refused: Sequence[Arrival]) -> list[Message]:
    """Return the words to whoever sent files that are not taken, and a mark on each of them."""
    first = refused[0].upload
    lines = [f"{one.upload.name} was not taken: {one.reason}." for one in refused]
    said = Message(
        id=derived_id("refused", first.id),
        to=first.source,
        kind=MessageKind.NOTICE,
        blocks=(Text("\n".join(lines)),),
        reply_to=refused[-1].upload.event_id,
        cause=first.id,
    )
    marks = [mark_on(one.upload.source, one.upload.event_id, FAILED, first.id) for one in refused]
    return [said, *marks]
