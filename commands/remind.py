"""Reminders: what a person wants to be told at a time, in the place where it was asked for."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from bot.clock.moments import read_moment, read_rule, read_span, read_zone, spoken_span
from bot.command.declare import MEMBERS, Call, Effect, Help, Rest, command, topic
from bot.errors import UserError
from bot.model import Address, Role, Via
from bot.news.reminders import Reminder, Reminders, Request
from bot.policy import Policy
from bot.reply import Reply, Table, Text, say

_LONGEST = 2000
_CHAT = frozenset({Via.CHAT, Via.CONSOLE})

Span = Annotated[str, Help("how long from now: `45s`, `20m`, `2h`, `1h30m`, `3d`, `2w`")]
Words = Annotated[
    str,
    Field(min_length=1, max_length=_LONGEST),
    Rest(),
    Help("what to be told; `!COMMAND` runs that command then, with your rights"),
]
Moment = Annotated[str, Help("a time, `15:00`, or a day, `2026-12-01`, after which comes the time")]
Which = Annotated[str, Help("`day`, `weekday`, `monday`, or several days with commas between")]
Clock = Annotated[
    str,
    Field(min_length=1, max_length=_LONGEST),
    Rest(),
    Help("`at`, the time of day, and what to be told"),
]


@topic("remind")
class RemindCommands:
    """Reminders that a person sets; ``expect`` is told when one falls due."""

    def __init__(
        self,
        reminders: Reminders,
        policy: Callable[[], Policy],
        timezone_of: Callable[[str], str],
        primary: Callable[[], Address],
        expect: Callable[[datetime], None],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._reminders = reminders
        self._policy = policy
        self._timezone_of = timezone_of
        self._primary = primary
        self._expect = expect
        self._now = now

    @command("in", roles=MEMBERS, effect=Effect.WRITE)
    async def after(self, call: Call, span: Span, text: Words) -> Reply:
        """Be told something after a while: `remind in 2h look at the build`."""
        return await self._add(call, self._now() + read_span(span), text)

    @command("at", roles=MEMBERS, effect=Effect.WRITE)
    async def at(self, call: Call, when: Moment, text: Words) -> Reply:
        """Be told something at a time: `remind at 15:00 stand-up`, `remind at 2026-12-01 09:00 freeze`."""
        zone = read_zone(self._timezone(call))
        due_at, words = read_moment(f"{when} {text}", self._now(), zone)
        return await self._add(call, due_at, words)

    @command("every", roles=MEMBERS, effect=Effect.WRITE)
    async def every(self, call: Call, which: Which, text: Clock) -> Reply:
        """Be told something again and again: `remind every weekday at 9:00 stand-up`.

        `remind every day at 8 !backlog stats` says the numbers each morning.
        """
        rule, words = read_rule(f"{which} {text}")
        due_at = rule.after(self._now(), read_zone(self._timezone(call)))
        return await self._add(call, due_at, words, str(rule))

    @command("list", roles=MEMBERS, private=True)
    async def list(
        self,
        call: Call,
        *,
        everyone: Annotated[bool, Help("those of others too (operators)")] = False,
    ) -> Reply:
        """List the reminders that wait, the next one first."""
        if everyone and not self._is_operator(call):
            raise UserError("others' reminders are for operators", code="forbidden")
        found = await self._reminders.waiting(None if everyone else call.caller.principal.id)
        if not found:
            return say("No reminder waits.", [])
        rows = tuple(
            (
                str(one.id),
                self._spoken(one),
                one.request.rule or "once",
                one.request.owner.name,
                one.request.text,
            )
            for one in found
        )
        table = Table(("id", "next", "every", "for", "what"), rows)
        return Reply([reminder_data(one) for one in found], (table,))

    @command("cancel", roles=MEMBERS, effect=Effect.WRITE)
    async def cancel(
        self, call: Call, id: Annotated[int, Field(ge=1, le=2**62), Help("a reminder's number")]
    ) -> Reply:
        """End a reminder of your own; operators end anybody's."""
        owner = None if self._is_operator(call) else call.caller.principal.id
        if not await self._reminders.cancel(id, owner):
            raise UserError(
                f"no reminder {id} of yours waits",
                code="not_found",
                hint="`remind list` lists them",
            )
        return say(f"Reminder {id} is cancelled.", {"id": id, "cancelled": True})

    async def _add(self, call: Call, due_at: datetime, text: str, rule: str | None = None) -> Reply:
        if not text.strip():
            raise UserError("there is nothing to be told", hint="say it after the time")
        in_chat = call.caller.via in _CHAT
        begins_thread = call.thread is not None and call.source.thread is None
        reminder = await self._reminders.add(
            Request(
                owner=call.caller.principal,
                text=text.strip(),
                place=call.source if in_chat else self._primary(),
                due_at=due_at,
                rule=rule,
                timezone=self._timezone(call),
                reply_to=call.thread.thread if call.thread and begins_thread else None,
            )
        )
        self._expect(due_at)
        again = f", then every {rule}" if rule else ""
        wait = spoken_span(due_at - self._now())
        said = f"Reminder {reminder.id}: {self._spoken(reminder)}, in {wait}{again}."
        return Reply(reminder_data(reminder), (Text(said),))

    def _spoken(self, reminder: Reminder) -> str:
        zone = read_zone(reminder.request.timezone)
        return f"{reminder.due_at.astimezone(zone):%a %Y-%m-%d %H:%M} {reminder.request.timezone}"

    def _timezone(self, call: Call) -> str:
        return self._timezone_of(call.caller.principal.id)

    def _is_operator(self, call: Call) -> bool:
        return self._policy().role_of(call.caller.principal) is Role.OPERATOR


def reminder_data(reminder: Reminder) -> dict[str, Any]:
    """Return a reminder as JSON-ready values."""
    request = reminder.request
    return {
        "id": reminder.id,
        "due_at": reminder.due_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "every": request.rule,
        "timezone": request.timezone,
        "owner": request.owner.id,
        "place": str(request.place),
        "text": request.text,
    }
