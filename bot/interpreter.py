"""Runs commands: finds, authorizes, binds, confirms, notes, and bounds the time; the same for every face."""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.command.catalog import Catalog, Command
from bot.command.declare import Call, Effect
from bot.command.words import split_line
from bot.errors import ConfirmationRequired, TransientError, UserError
from bot.model import Address, Decision, Via
from bot.policy import Policy
from bot.ports import Audit, Confirmations
from bot.reply import Code, Reply, say


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

    async def run_line(self, line: str, call: Call, *, confirmed: bool = False) -> Reply:
        """Run a chat line. A destructive command is kept and asked about; ``confirm CODE`` runs it."""
        line, as_json = _take_json_switch(line)
        words = split_line(line)
        command, _ = self.catalog.find([word.text for word in words[:4]])
        await self._authorize(command, call)
        command, arguments = self.catalog.find_line(line, words)
        if command.confirm is not None and not confirmed:
            return await self._ask(command, line, call)
        reply = await self._run(command, arguments, call)
        return _as_json(reply) if as_json else reply

    async def run_words(self, words: Sequence[str], call: Call, *, confirmed: bool) -> Reply:
        """Run a command whose words a shell has split; raises ConfirmationRequired when it is destructive."""
        command, length = self.catalog.find(words)
        await self._authorize(command, call)
        arguments = command.grammar.bind_words(words[length:])
        return await self._run_confirmed(command, arguments, call, confirmed=confirmed)

    async def run_named(
        self, name: str, values: Mapping[str, Any], call: Call, *, confirmed: bool
    ) -> Reply:
        """Run a command by its exact name with named values, as HTTP gives them."""
        command = self.catalog.commands.get(name)
        if command is None:
            command, _ = self.catalog.find(name.split())
        await self._authorize(command, call)
        arguments = command.grammar.check(values)
        return await self._run_confirmed(command, arguments, call, confirmed=confirmed)

    async def replay(self, code: str, call: Call) -> Reply:
        """Run the destructive command that waits under ``code`` for this very person."""
        line = await self._confirmations.take(code, call.caller.principal.id)
        if line is None:
            raise UserError(
                f"nothing waits for you under the code {code!r}",
                hint=f"a code is good once, for {self._confirm_within.seconds} s, for who asked",
            )
        return await self.run_line(line, call, confirmed=True)

    def takes(self, source: Address, via: Via) -> bool:
        """Return whether words said in a place are taken up at all."""
        return self._policy().takes(source.lane, via)

    def changes_something(self, line: str) -> bool:
        """Return whether a chat line names a command that writes, whoever says it and however badly."""
        try:
            command, _ = self.catalog.find([word.text for word in split_line(line)[:4]])
        except UserError:
            return False
        return command.effect is Effect.WRITE

    async def _authorize(self, command: Command, call: Call) -> None:
        decision = await self.decide(command.name, call)
        if not decision.allowed:
            raise UserError(
                f"{command.name} is refused: {decision.reason}",
                code="forbidden",
                hint=f"rule {decision.rule}",
            )

    async def decide(self, action: str, call: Call) -> Decision:
        """Ask the policy; a denial is noted, and so is leave to write."""
        principal, via = call.caller.principal, call.caller.via
        decision = self._policy().authorize(principal, action, call.source.lane, via)
        command = self.catalog.commands.get(action)
        if not decision.allowed or (command is not None and command.effect is Effect.WRITE):
            await self._audit.note(principal, action, call.source.lane, via, decision)
        return decision

    async def _ask(self, command: Command, line: str, call: Call) -> Reply:
        code = f"{secrets.randbelow(10_000):04d}"
        await self._confirmations.ask(code, call.caller.principal.id, line, self._confirm_within)
        seconds = int(self._confirm_within.total_seconds())
        return say(
            f"{command.confirm} To go on, say `!confirm {code}` within {seconds} s.",
            {"confirmation": code, "question": command.confirm, "expires_in_seconds": seconds},
        )

    async def _run_confirmed(
        self, command: Command, arguments: Mapping[str, Any], call: Call, *, confirmed: bool
    ) -> Reply:
        if command.confirm is not None and not confirmed:
            raise ConfirmationRequired(command.confirm)
        return await self._run(command, arguments, call)

    async def _run(self, command: Command, arguments: Mapping[str, Any], call: Call) -> Reply:
        longer = arguments.get(command.patience, 0.0) if command.patience else 0.0
        limit = self._time_limit.total_seconds() + float(longer)
        try:
            async with asyncio.timeout(limit):
                return await self.catalog.run(command, call, arguments)
        except TimeoutError as error:
            raise TransientError(
                f"{command.name} did not finish within {limit:g} s and was cancelled",
                hint="look at what it changed before you repeat it",
            ) from error


def _take_json_switch(line: str) -> tuple[str, bool]:
    head, _, last = line.rpartition(" ")
    return (head, True) if last == "--json" else (line, False)


def _as_json(reply: Reply) -> Reply:
    text = json.dumps(reply.data, ensure_ascii=False, indent=2)
    return Reply(reply.data, (Code(text, "json"),))
