"""How far agents are with what people asked of them: one message in the thread, edited until the turn has its end."""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.clock.pace import LONGEST_SHOW, Pace
from bot.errors import MosaicError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Message, MessageKind, ReceiptState, derived_id
from bot.ports import Correspondence
from bot.reply import Text

Doing = Callable[[str, str], Awaitable[str]]
Edits = Callable[[str], bool]

_REMEMBERED = 1000


@dataclass(slots=True)
class _Work:
    """One turn under way: the mail that it answers, since when, and when its next word is due."""

    mail: Message
    origin: Address
    since: datetime
    due_at: datetime
    count: int = 0


class Progress:
    """The part that shows what agents are at, for mail of people in places whose platform can edit.

    ``doing`` says what an agent (``HOST/NAME``) is at with a message, empty when nobody knows; ``edits`` whether a
    kind of place can edit. ``carriers`` are those whose agents it knows. All of its messages have ids that follow
    from the mail: after a crash it goes on with the same one. ``begin`` and ``end`` are the relay's to call.
    """

    name = "progress"

    def __init__(
        self,
        mailbox: Mailbox,
        correspondence: Correspondence,
        doing: Doing,
        edits: Edits,
        *,
        carrier: str,
        pace: Pace | None = None,
    ) -> None:
        self._mailbox = mailbox
        self._correspondence = correspondence
        self._doing = doing
        self._edits = edits
        self._carrier = carrier
        self._pace = pace or Pace()
        self._open: dict[str, _Work] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._posting = asyncio.Lock()
        self._begun = asyncio.Event()
        self._log = structlog.get_logger(part=self.name)

    async def run(self, ready: Callable[[str], None]) -> None:
        """Show until cancelled; TransientError when the database is away at the start."""
        await self._recall()
        ready("showing what agents are at")
        while True:
            self._begun.clear()
            now = datetime.now(UTC)
            for work in [one for one in self._open.values() if one.due_at <= now]:
                await self._show(work, now)
            await self._pause()

    def begin(self, mail: Message, since: datetime) -> None:
        """Show the work on a mail from now on; without effect for one whose turn has its end."""
        if mail.origin is None or mail.author.startswith("agent:"):
            return
        if mail.id not in self._ended and mail.id not in self._open:
            self._open[mail.id] = _Work(mail, mail.origin, since, since + self._pace.after)
            self._begun.set()

    async def end(self, mail: Message, word: str) -> Sequence[Message]:
        """Return what takes the place of the progress shown, nothing when none was; no word on it comes later.

        ``word`` says how the turn ended. Whoever calls posts this together with what the turn came to.
        """
        self._ended[mail.id] = None
        if len(self._ended) > _REMEMBERED:
            self._ended.popitem(last=False)
        async with self._posting:  # a word that is being posted comes first
            work = self._open.pop(mail.id, None)
        first = await self._correspondence.message(_first_id(mail))
        if first is None:
            return ()
        lasted = "" if work is None else f" after {spoken_time(datetime.now(UTC) - work.since)}"
        return (_edit(first, "end", f"{_name(mail)} {word}{lasted}.", MessageKind.NOTICE),)

    # -- steps -----------------------------------------------------------------------------------------

    async def _recall(self) -> None:
        """Go on with what an earlier life of the daemon showed."""
        for mail, state in await self._correspondence.unanswered(self._carrier):
            if state is not ReceiptState.ACCEPTED:
                continue
            receipts = await self._correspondence.receipts(mail.id)
            taken = [one.at for one in receipts if one.state is ReceiptState.ACCEPTED and one.at]
            self.begin(mail, taken[0] if taken else datetime.now(UTC))

    async def _pause(self) -> None:
        """Wait for the next word that is due, or for ever while nobody works."""
        if not self._open:
            await self._begun.wait()
            return
        due = min(work.due_at for work in self._open.values()) - datetime.now(UTC)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, due.total_seconds())):
                await self._begun.wait()

    async def _show(self, work: _Work, now: datetime) -> None:
        lasted = now - work.since
        work.due_at = now + self._pace.pause(lasted)
        if not self._edits(work.origin.kind):
            return
        try:
            words = await self._doing(work.mail.to.place, work.mail.id)
            first = await self._correspondence.message(_first_id(work.mail))
            async with self._posting:
                if work.mail.id in self._open:
                    await self._mailbox.post(self._word(work, first, lasted, words))
        except MosaicError as error:
            self._log.debug("progress not shown", message=work.mail.id, error=error.message)

    def _word(
        self, work: _Work, first: Message | None, lasted: timedelta, words: str
    ) -> list[Message]:
        """Return the next word on a turn, the last one when it has lasted too long."""
        if lasted > LONGEST_SHOW:
            del self._open[work.mail.id]
            said = f"{_name(work.mail)} has not ended its turn for {spoken_time(lasted)}."
            return [] if first is None else [_edit(first, "left", said, MessageKind.NOTICE)]
        text = _text(work, lasted, words)
        if first is None:
            return [_first(work, text)]
        work.count += 1
        # The time is in it too: an edit of an earlier life of the daemon has another id than any of this one.
        return [_edit(first, f"{work.count} {work.due_at}", text, MessageKind.PROGRESS)]


def _text(work: _Work, lasted: timedelta, words: str) -> str:
    head = f"{_name(work.mail)} has been at it for {spoken_time(lasted)}"
    return f"{head}: {words}" if words else f"{head} …"


def spoken_time(lasted: timedelta) -> str:
    """Return a time as people say it: seconds, or minutes and seconds, or hours and minutes."""
    seconds = int(lasted.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def _name(mail: Message) -> str:
    return mail.to.place.partition("/")[2]


def _first_id(mail: Message) -> str:
    return derived_id("progress", mail.id)


def _first(work: _Work, text: str) -> Message:
    return Message(
        id=_first_id(work.mail),
        to=work.origin,
        kind=MessageKind.PROGRESS,
        blocks=(Text(text),),
        cause=work.mail.id,  # no reply: it would call the person to what is no answer
    )


def _edit(first: Message, what: str, text: str, kind: MessageKind) -> Message:
    return Message(
        id=derived_id("progress", first.id, what),
        to=first.to,
        kind=kind,
        blocks=(Text(text),),
        cause=first.cause,
        replaces=first.id,
    )
