"""The one way in: every event is stored first, then handled once, in order per place."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import structlog

from bot.asked import Offered
from bot.clock.backoff import Backoff
from bot.clock.insistence import Insistence
from bot.command.declare import Call
from bot.command.interpreter import Interpreter
from bot.errors import TransientError
from bot.mail.account import account_of
from bot.mail.choices import Choices
from bot.mail.intake import Intake
from bot.mail.lineup import Lineup
from bot.mail.mailbox import Mailbox
from bot.mail.marks import DONE, FAILED, TAKEN, mail_marks, mark_on
from bot.mail.revising import Revising, mail_id
from bot.model import (
    Address,
    Caller,
    Inbound,
    InboundBatch,
    InboundKind,
    Message,
    MessageKind,
    ReceiptState,
    Via,
    derived_id,
)
from bot.policy import TALK
from bot.ports import Journal, Presence
from bot.problem import problem_of
from bot.reply import Block, Offer, Text

PREFIX = "!"
SLOW = timedelta(milliseconds=400)
"""A command that takes longer shows that it was taken; a quicker one just answers."""

_POLL = timedelta(seconds=2)
_GRACE = timedelta(seconds=5)
_AWAY = Backoff(timedelta(milliseconds=100), timedelta(seconds=5))
_NOTICE = MessageKind.NOTICE
_SHOWN = 200

Addressee = Callable[[Inbound], Awaitable[tuple[Address | None, str]]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A line that somebody asks for, typed or chosen by a mark, and where it is answered."""

    event: Inbound
    line: str
    to: Address
    reply_to: str
    offered: Offered | None = None


class Router:
    """Takes what connectors bring to the interpreter or to an agent, at most once per event.

    ``choices`` knows which marks stand for a line, ``intake`` takes files, ``revising`` knows what people changed
    since. ``addressee`` says to whom a text goes that is no command, and what of it. ``token`` is this daemon's life:
    an event begun under another and never finished was interrupted by a crash; it is named, never run again.
    ``threads`` says that free text in a room begins a thread of its own, ``prepare`` is awaited before the first
    event is handled.
    """

    name = "router"

    def __init__(
        self,
        journal: Journal,
        mailbox: Mailbox,
        interpreter: Interpreter,
        addressee: Addressee,
        presence: Presence,
        *,
        choices: Choices,
        intake: Intake,
        revising: Revising,
        token: str,
        threads: bool = True,
        prepare: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._intake = intake
        self._journal = journal
        self._lineup = Lineup(journal)
        self._revising = revising
        self._mailbox = mailbox
        self._interpreter = interpreter
        self._choices = choices
        self._addressee = addressee
        self._presence = presence
        self._token = token
        self._threads = threads
        self._prepare = prepare
        self._log = structlog.get_logger(part=self.name)
        self._insist = Insistence(_AWAY, self._note_absence)

    async def accept(self, batch: InboundBatch) -> None:
        """Store a batch with its position, and what is to be said of gaps and unreadable words; handling comes after.

        Raises TransientError when the database is away: then nothing of the batch was stored.
        """
        letters = self._mailbox.seal(account_of(batch))
        await self._lineup.accept(batch, letters)
        if letters:
            self._mailbox.posted.set()

    async def run(self, ready: Callable[[str], None]) -> None:
        """Handle events until cancelled; what runs then is given a few seconds to finish."""
        if self._prepare is not None:
            await self._prepare()
        await self._settle_interrupted()
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._lineup.arrived.clear()
                await self._lineup.fill()
                ready("handling what comes in")
                for lane in self._lineup.take_idle():
                    task = asyncio.create_task(self._work_off(lane))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                await self._wait_for_arrival()
        finally:
            await _drain(tasks)

    async def _wait_for_arrival(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_POLL.total_seconds()):
                await self._lineup.arrived.wait()

    async def _work_off(self, lane: str) -> None:
        """Handle a lane's events one after another until none is left."""
        with self._lineup.working(lane) as waiting:
            while waiting:
                await self._handle(waiting[0])
                waiting.popleft()

    async def _handle(self, event: Inbound) -> None:
        meant = await self._insist(lambda: self._revising.meant(event, self._lineup))
        for revision in meant.revisions:
            await self._end(revision, "done", [])
            self._lineup.drop(revision)
        if meant.event is None:
            await self._end(event, "withdrawn", [])
            return
        event = meant.event
        asked = await self._asked(event)
        if self._runs_once(asked) and not await self._insist(
            lambda: self._journal.begin(event, self._token)
        ):
            return
        await self._end(event, *await self._answer(event, asked))

    async def _end(self, event: Inbound, outcome: str, messages: list[Message]) -> None:
        letters = self._mailbox.seal(messages)
        await self._insist(lambda: self._journal.finish(event, letters, outcome))
        if letters:
            self._mailbox.posted.set()
        self._log.info(
            "handled", event_id=event.event_id, source=str(event.source), outcome=outcome
        )

    async def _asked(self, event: Inbound) -> _Asked | None:
        """Return the line that an event asks for; a mark's own text is never one."""
        if event.kind is InboundKind.REDACTION:
            return None
        if event.kind is not InboundKind.REACTION:
            # What stands below a file is for its reader: a file's name must not come to run anything.
            if event.attachments or not is_command(event.text):
                return None
            line = event.text.strip().removeprefix(PREFIX)
            return _Asked(event, line, event.source, event.event_id)
        offered = await self._insist(lambda: self._choices.find(event))
        if offered is None or event.stands_on is None:
            return None
        place = self._choices.place(offered, event)
        return _Asked(event, offered.offer.line, place, event.stands_on, offered)

    def _runs_once(self, asked: _Asked | None) -> bool:
        """Return whether handling it twice would do something twice.

        What only reads, and free text, whose mail is stored with the event's end, are just repeated.
        """
        if asked is None:
            return False
        if asked.event.is_revision:
            return False
        return asked.offered is not None or self._interpreter.changes_something(asked.line)

    async def _answer(self, event: Inbound, asked: _Asked | None) -> tuple[str, list[Message]]:
        """Return how an event ended and what is said to it."""
        if not self._interpreter.takes(event.source, _via(event)):
            return "ignored", []
        if event.is_revision:
            return await self._revise(event, asked)
        if asked is not None:
            return await self._run_command(asked)
        return ("ignored", []) if event.kind is InboundKind.REACTION else await self._talk(event)

    async def _run_command(self, asked: _Asked) -> tuple[str, list[Message]]:
        call = self._call(asked)
        before = None if asked.offered is None else partial(self._take, asked, call)
        try:
            async with self._shown_as_taken(asked):
                reply = await self._interpreter.run_line(asked.line, call, before=before)
        except TransientError as error:
            return "interrupted", _interrupted(asked, error.message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person is told
            problem = problem_of(error)
            outcome = "refused" if problem.code == "forbidden" else "failed"
            said = _say(asked, "reply", problem.reply.blocks)
            return outcome, [said, *_marked(asked, FAILED)]
        said = _say(asked, "reply", reply.blocks, offers=reply.offers)
        return "done", [said, *([] if reply.goes_on else _marked(asked, DONE))]

    async def _take(self, asked: _Asked, call: Call) -> None:
        if (offered := asked.offered) is not None:
            await self._insist(lambda: self._choices.take(offered, asked.event, call))

    def _call(self, asked: _Asked) -> Call:
        event = asked.event
        thread = self._mailbox.thread_of(event) if asked.offered is None else asked.to
        caller = Caller(event.sender, _via(event))
        return Call(caller, event.source, event.id, thread, asked.reply_to)

    async def _revise(self, event: Inbound, asked: _Asked | None) -> tuple[str, list[Message]]:
        """Follow a revision of what was taken up before it came: only mail that was not typed can."""
        if asked is not None:
            note = "An edit is not run any more. Send the changed command as a new message."
            return "ignored", [_say(asked, "edit", (Text(note),), _NOTICE)]
        outcome, said = "done", list[Message]()
        if event.kind is InboundKind.EDIT and event.stands_on is not None:
            outcome, said = await self._talk(event)
        if outcome == "done" and await self._insist(lambda: self._revising.take_back(event)):
            return "done", said
        return "ignored", []

    async def _talk(self, event: Inbound) -> tuple[str, list[Message]]:
        first = event.stands_on or event.event_id
        place = self._conversation(replace(event, event_id=first))
        spoken = _Asked(event, event.text, place, first)
        try:
            decision = await self._interpreter.decide(TALK, self._call(spoken))
        except TransientError as error:
            return "failed", [_say(spoken, "reply", problem_of(error).reply.blocks)]
        if not decision.allowed or not (event.text.strip() or event.attachments):
            return "ignored", []
        to, words = await self._insist(lambda: self._addressee(event))
        if to is None:
            text = "Nobody is there to talk to: the roster has no agent of the class orchestrator."
            return "failed", [_say(spoken, "reply", (Text(text),)), *_marked(spoken, FAILED)]
        if event.attachments:
            return "done", list(await self._insist(lambda: self._intake.take(event, to, words)))
        mail = Message(
            id=mail_id(event),
            to=to,
            kind=MessageKind.MAIL,
            blocks=(Text(words),),
            author=event.sender.id,
            origin=spoken.to,
            origin_event=first,
            cause=event.id,
        )
        return "done", [mail, *mail_marks(mail, ReceiptState.STORED)]

    def _conversation(self, event: Inbound) -> Address:
        """Return where a talk with an agent goes on: a console is one conversation, a room has many."""
        if self._threads and _via(event) is Via.CHAT:
            return self._mailbox.thread_of(event)
        return event.source

    @contextlib.asynccontextmanager
    async def _shown_as_taken(self, asked: _Asked) -> AsyncIterator[None]:
        """Mark an event as taken, and show work, once its command turns out to be slow."""
        showing = asyncio.create_task(self._show_work(asked))
        try:
            yield
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)

    async def _show_work(self, asked: _Asked) -> None:
        await asyncio.sleep(SLOW.total_seconds())
        await self._insist(lambda: self._mailbox.post(_marked(asked, TAKEN)))
        async with self._presence.working(asked.to):
            await asyncio.Event().wait()

    async def _settle_interrupted(self) -> None:
        """Name, once, every command that a crash cut short; it is never run again."""
        for event in await self._journal.interrupted(self._token):
            asked = await self._asked(event) or _Asked(event, "", event.source, event.event_id)
            letters = self._mailbox.seal(_interrupted(asked, "the daemon was restarted"))
            await self._journal.finish(event, letters, "interrupted")
            self._log.warning("interrupted", event_id=event.event_id)
        self._mailbox.posted.set()

    def _note_absence(self, error: TransientError, attempt: int) -> None:
        self._log.info("database away", error=error.message, attempt=attempt)


def is_command(text: str) -> bool:
    """Return whether a text asks for a command: ``!`` and a letter right after it."""
    stripped = text.strip()
    return stripped.startswith(PREFIX) and stripped[1:2].isalpha()


async def _drain(tasks: set[asyncio.Task[None]]) -> None:
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=_GRACE.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


def _via(event: Inbound) -> Via:
    return Via.CONSOLE if event.source.kind == "tmux" else Via.CHAT


def _say(
    asked: _Asked,
    what: str,
    blocks: tuple[Block, ...],
    kind: MessageKind = MessageKind.REPLY,
    *,
    offers: tuple[Offer, ...] = (),
) -> Message:
    return Message(
        id=derived_id(what, asked.event.id),
        to=asked.to,
        kind=kind,
        blocks=(*_chosen(asked), *blocks),
        reply_to=asked.reply_to,
        cause=asked.event.id,
        offers=offers,
        tag="private" if asked.event.is_private else "chat",
    )


def _chosen(asked: _Asked) -> tuple[Block, ...]:
    """Say who chose what: a mark does not say it to those who read along."""
    if asked.offered is None:
        return ()
    offer, who = asked.offered.offer, asked.event.sender.name
    return (Text(f"{who} chose {asked.event.text}: {offer.says}."),)


def _marked(asked: _Asked, mark: str) -> list[Message]:
    """Return a mark on what a person typed; below an offer the answer alone says how it went."""
    if asked.offered is not None:
        return []
    return [mark_on(asked.to, asked.reply_to, mark, asked.event.id)]


def _interrupted(asked: _Asked, why: str) -> list[Message]:
    """Name a command of which nobody can say how far it came."""
    line = f"{PREFIX}{asked.line}"
    shown = line if len(line) <= _SHOWN else line[:_SHOWN] + "…"
    text = (
        f"interrupted: {shown}\nIt may have run, in whole or in part ({why}); it is not run again."
    )
    return [_say(asked, "reply", (Text(text),), _NOTICE), *_marked(asked, FAILED)]
