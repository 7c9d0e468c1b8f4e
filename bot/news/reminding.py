"""Says reminders when they fall due: each time once, whatever dies in between and however many daemons there are."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog

from bot.clock.moments import read_rule, read_zone, spoken_span
from bot.command.declare import Call
from bot.command.interpreter import Interpreter
from bot.errors import MosaicError, UsageError
from bot.mail.mailbox import Mailbox
from bot.model import Caller, Message, MessageKind, Via, derived_id
from bot.news.reminders import Reminder, Reminders
from bot.problem import problem_of
from bot.reply import Block, Text

_PAGE = 50
_LATE = timedelta(minutes=1)
"""What is said later than this is said with how late it is."""

At = Callable[[str, datetime, Callable[[], Awaitable[None]]], None]


class Reminding:
    """What the clock does for reminders.

    ``at`` puts the next look onto the clock; looks come every few seconds besides, for what another daemon
    took in. A command is run at most once: what says that it falls due is stored before.
    """

    def __init__(
        self,
        reminders: Reminders,
        mailbox: Mailbox,
        interpreter: Interpreter,
        at: At,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._reminders = reminders
        self._mailbox = mailbox
        self._interpreter = interpreter
        self._at = at
        self._now = now
        self._awaited_at: datetime | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._log = structlog.get_logger(part="reminders")

    def expect(self, due_at: datetime) -> None:
        """Be told that something falls due then, sooner than a look would find out."""
        known = self._awaited_at
        if known is None or due_at < known or known <= self._now():
            self._awaited_at = due_at
            self._at("next reminder", due_at, self.look)

    async def look(self) -> None:
        """Say what has fallen due, and see to it that the next one is said in time."""
        while True:
            page = await self._reminders.next(_PAGE)
            due = [reminder for reminder in page if reminder.due_at <= self._now()]
            for reminder in due:
                await self._fire(reminder)
            if len(due) < len(page):
                self.expect(page[len(due)].due_at)
            if len(due) < _PAGE:
                return

    async def _fire(self, reminder: Reminder) -> None:
        now = self._now()
        letters = self._mailbox.seal([_message(reminder, "due", (Text(_sentence(reminder, now)),))])
        if not await self._reminders.fire(reminder, self._next(reminder, now), letters):
            return
        self._mailbox.posted.set()
        self._log.info("reminder", id=reminder.id, owner=reminder.request.owner.id)
        if _line(reminder) is not None:
            task = asyncio.create_task(self._run(reminder))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    def _next(self, reminder: Reminder, now: datetime) -> datetime | None:
        """Return when it falls due again; what was missed meanwhile is not made up for."""
        request = reminder.request
        if request.rule is None:
            return None
        try:
            rule, _ = read_rule(request.rule)
            zone = read_zone(request.timezone)
        except (
            UsageError,
            ValueError,
        ) as error:  # one that nobody can read must not hold up the others
            self._log.error("reminder ended", id=reminder.id, rule=request.rule, error=str(error))
            return None
        return rule.after(max(now, reminder.due_at), zone)

    async def _run(self, reminder: Reminder) -> None:
        """Run a command as its owner, with the rights that its owner has now, and say what it answers."""
        request = reminder.request
        call = Call(
            Caller(request.owner, Via.SCHEDULE),
            request.place,
            derived_id("reminded call", str(reminder.id), reminder.due_at.isoformat()),
        )
        try:
            reply = await self._interpreter.run_line(_line(reminder) or "", call)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person is told
            reply = problem_of(error).reply
        try:
            await self._mailbox.post([_message(reminder, "answer", reply.blocks)])
        except MosaicError as error:
            self._log.warning("answer lost", id=reminder.id, error=error.message)


def _message(reminder: Reminder, what: str, blocks: tuple[Block, ...]) -> Message:
    request = reminder.request
    return Message(
        id=derived_id("reminder", str(reminder.id), reminder.due_at.isoformat(), what),
        to=request.place,
        kind=MessageKind.NOTICE,
        blocks=blocks,
        reply_to=request.reply_to,
    )


def _line(reminder: Reminder) -> str | None:
    """Return the command that a reminder runs, None for one that is just said."""
    text = reminder.request.text
    return text[1:] if text.startswith("!") and text[1:2].isalpha() else None


def _sentence(reminder: Reminder, now: datetime) -> str:
    request = reminder.request
    late = now - reminder.due_at
    notes = [f"every {request.rule}"] if request.rule else []
    if late > _LATE:
        notes.append(f"{spoken_span(late)} late: nobody was there to say it")
    noted = f" ({'; '.join(notes)})" if notes else ""
    line = _line(reminder)
    said = request.text if line is None else f"runs {line}"
    return f"Reminder {reminder.id} for {request.owner.name}{noted}: {said}"
