"""Runs commands: finds, authorizes, binds, confirms, notes, and bounds the time; the same for every face."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.asked import Kept, Yes
from bot.command.catalog import Catalog, Command
from bot.command.declare import Call, Effect
from bot.command.words import quoted, split_line
from bot.errors import ConfirmationRequired, TransientError, UserError
from bot.model import Address, Decision, Via
from bot.policy import CHOOSE, Policy
from bot.ports import Audit, Confirmations
from bot.reply import Code, Offer, Reply, say, to_json

_CHANGED = "What it would do is not what you were shown. "

Before = Callable[[], Awaitable[None]]


class Interpreter:
    """The command core's only door.

    Every method raises UserError (refused, misused, timed out), ConfirmationRequired, or what the command
    itself raises; a denial is noted in the audit before it is raised, a write before it is run.
    """

    def __init__(
        self,
        catalog: Catalog,
        policy: Callable[[], Policy],
        audit: Audit,
        confirmations: Confirmations,
        *,
        time_limit: timedelta,
        confirm_within: timedelta,
    ) -> None:
        self.catalog = catalog
        self._policy = policy
        self._audit = audit
        self._confirmations = confirmations
        self._time_limit = time_limit
        self._confirm_within = confirm_within

    async def run_line(
        self, line: str, call: Call, *, yes: Yes | None = None, before: Before | None = None
    ) -> Reply:
        """Run a chat line. A destructive command is kept and asked about; ``confirm CODE`` runs it.

        ``before`` is awaited once leave is given; what it raises keeps the command from being run.
        """
        line, as_json = _take_json_switch(line)
        words = split_line(line)
        command, _ = self.catalog.find([word.text for word in words[:4]])
        await self._authorize(command, call)
        command, arguments = self.catalog.find_line(line, words)
        if before is not None:
            await before()
        if (shown := await self._to_be_asked(command, arguments, call, yes)) is not None:
            return await self._ask(command, line, call, shown, again=yes is not None)
        reply = await self._run(command, arguments, call)
        return _as_json(reply) if as_json else reply

    async def run_words(self, words: Sequence[str], call: Call, yes: Yes | None) -> Reply:
        """Run a command whose words a shell has split; raises ConfirmationRequired when it is destructive."""
        command, length = self.catalog.find(words)
        await self._authorize(command, call)
        arguments = command.grammar.bind_words(words[length:])
        return await self._run_confirmed(command, arguments, call, yes)

    async def run_named(
        self, name: str, values: Mapping[str, Any], call: Call, yes: Yes | None
    ) -> Reply:
        """Run a command by its exact name with named values, as HTTP gives them."""
        command = self.catalog.commands.get(name)
        if command is None:
            command, _ = self.catalog.find(name.split())
        await self._authorize(command, call)
        arguments = command.grammar.check(values)
        return await self._run_confirmed(command, arguments, call, yes)

    async def replay(self, code: str, call: Call, asked_by: str | None = None) -> Reply:
        """Run the destructive command that waits under ``code`` for this very person.

        An operator may run what waits for another, ``asked_by``; it is run by the operator's own right.
        """
        kept = await self.drop(code, call, asked_by)
        return await self.run_line(kept.line, call, yes=Yes(kept.preview_id))

    async def drop(self, code: str, call: Call, asked_by: str | None = None) -> Kept:
        """Take away the destructive command that waits under ``code``, and return it."""
        kept = await self._take(code, call, asked_by)
        if kept is None:
            raise UserError(
                f"nothing waits for {'you' if asked_by is None else asked_by} under the code {code!r}",
                hint=f"a code is good once, for {self._confirm_within.seconds} s, for who asked",
            )
        if kept.expired:
            raise UserError(
                f"the time to confirm `{kept.line}` is over; nothing was done",
                code="confirmation_expired",
                hint="say it again, and you are asked again",
            )
        return kept

    async def _take(self, code: str, call: Call, asked_by: str | None) -> Kept | None:
        """Take what waits for one, or for who speaks: a person with several accounts may be asked as any of them."""
        principal = call.caller.principal
        for whose in self._policy().accounts_of(principal) if asked_by is None else (asked_by,):
            await self.require_chooser(whose, call)
            if (kept := await self._confirmations.take(code, whose)) is not None:
                return kept
        return None

    async def require_chooser(self, chooser: str | None, call: Call, line: str = "") -> None:
        """Refuse, and note it, when somebody answers what another was asked; ``line`` is what the answer says."""
        named = self._named(line)
        personal = named is not None and named.personal
        decision = self._policy().may_choose(call.caller.principal, chooser, personal=personal)
        if not decision.allowed:
            principal, via = call.caller.principal, call.caller.via
            await self._audit.note(principal, CHOOSE, call.source.lane, via, decision)
            raise _refused(CHOOSE, decision)

    def takes(self, source: Address, via: Via) -> bool:
        """Return whether words said in a place are taken up at all."""
        return self._policy().takes(source.lane, via)

    def changes_something(self, line: str) -> bool:
        """Return whether a chat line names a command that writes, whoever says it and however badly."""
        command = self._named(line)
        return command is not None and command.effect is Effect.WRITE

    def _named(self, line: str) -> Command | None:
        try:
            return self.catalog.find([word.text for word in split_line(line)[:4]])[0]
        except UserError:
            return None

    async def _authorize(self, command: Command, call: Call) -> None:
        decision = await self.decide(command.name, call)
        if not decision.allowed:
            raise _refused(command.name, decision)

    async def decide(self, action: str, call: Call) -> Decision:
        """Ask the policy; a denial is noted, and so is leave to write."""
        principal, via = call.caller.principal, call.caller.via
        decision = self._policy().authorize(principal, action, call.source.lane, via)
        command = self.catalog.commands.get(action)
        if not decision.allowed or (command is not None and command.effect is Effect.WRITE):
            await self._audit.note(principal, action, call.source.lane, via, decision)
        return decision

    async def _ask(
        self, command: Command, line: str, call: Call, shown: Reply, *, again: bool
    ) -> Reply:
        code, whose = f"{secrets.randbelow(10_000):04d}", call.caller.principal.id
        await self._confirmations.ask(code, whose, line, self._confirm_within, preview_id(shown))
        seconds = int(self._confirm_within.total_seconds())
        asked = say(
            f"{_CHANGED if again else ''}{command.confirm} To go on, say `!confirm {code}` within {seconds} s.",
            {"confirmation": code, "question": command.confirm, "expires_in_seconds": seconds},
        )
        return replace(
            asked,
            blocks=(*shown.blocks, *asked.blocks),
            offers=self._yes_and_no(code, whose),
        )

    def _yes_and_no(self, code: str, whose: str) -> tuple[Offer, ...]:
        rest, within = f"{code} --asked-by {quoted(whose)}", self._confirm_within
        return (
            Offer("✅", f"confirm {rest}", "go on", within, whose),
            Offer("❌", f"cancel {rest}", "leave it", within, whose),
        )

    async def _run_confirmed(
        self, command: Command, arguments: Mapping[str, Any], call: Call, yes: Yes | None
    ) -> Reply:
        if (shown := await self._to_be_asked(command, arguments, call, yes)) is not None:
            question = f"{'' if yes is None else _CHANGED}{command.confirm}"
            raise ConfirmationRequired(question, shown.blocks, preview_id(shown))
        return await self._run(command, arguments, call)

    async def _to_be_asked(
        self, command: Command, arguments: Mapping[str, Any], call: Call, yes: Yes | None
    ) -> Reply | None:
        """Return what is shown with the question, None when there is none to ask or the yes is to this."""
        if yes is not None and yes.preview_id is None:
            return None
        async with self._bounded(command, self._time_limit.total_seconds()):
            shown = await self.catalog.preview(command, call, arguments)
        if shown is None or (yes is not None and yes.preview_id == preview_id(shown)):
            return None
        return shown

    async def _run(self, command: Command, arguments: Mapping[str, Any], call: Call) -> Reply:
        longer = arguments.get(command.patience, 0.0) if command.patience else 0.0
        async with self._bounded(command, self._time_limit.total_seconds() + float(longer)):
            return await self.catalog.run(command, call, arguments)

    @asynccontextmanager
    async def _bounded(self, command: Command, limit: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(limit):
                yield
        except TimeoutError as error:
            raise TransientError(
                f"{command.name} did not finish within {limit:g} s and was cancelled",
                hint="look at what it changed before you repeat it",
            ) from error


def preview_id(shown: Reply) -> str:
    """Return the name of what is shown with a question: another one as soon as anything in it is another."""
    said = to_json(shown.blocks) if shown.data is None else shown.data
    return hashlib.blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).hexdigest()


def _refused(action: str, decision: Decision) -> UserError:
    return UserError(
        f"{action} is refused: {decision.reason}", code="forbidden", hint=f"rule {decision.rule}"
    )


def _take_json_switch(line: str) -> tuple[str, bool]:
    head, _, last = line.rpartition(" ")
    return (head, True) if last == "--json" else (line, False)


def _as_json(reply: Reply) -> Reply:
    text = json.dumps(reply.data, ensure_ascii=False, indent=2)
    return Reply(reply.data, (Code(text, "json"),))
