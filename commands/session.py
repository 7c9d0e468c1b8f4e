"""About the conversation itself: what can be said, why something was refused, and a yes."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Annotated, Any

from bot.command.allowed import allowed_values
from bot.command.catalog import Command
from bot.command.declare import ANYBODY, EVERYONE, Call, Effect, Help, Rest, command, topic
from bot.command.interpreter import Interpreter
from bot.errors import UserError
from bot.model import Principal, Role
from bot.policy import Policy
from bot.ports import Audit
from bot.render.vitals import status_blocks
from bot.reply import Block, Code, Fields, Reply, Table, Text

_SHOWN_DECISIONS = 5
Digits = Annotated[str, Help("the four digits that you were asked for")]
AskedBy = Annotated[
    str | None,
    Help("who was asked, such as matrix:@ann:example.org; others than you: for operators"),
]


@topic("")
class SessionCommands:
    """Help, reasons, confirmations and the daemon's state.

    What it needs is made after it, so it takes callables: the interpreter whose catalog it is itself in,
    the policy as it is now, and the daemon's status (spec 3-contracts, ``mosaic status``).
    """

    def __init__(
        self,
        interpreter: Callable[[], Interpreter],
        policy: Callable[[], Policy],
        status: Callable[[], Mapping[str, Any]],
        audit: Audit,
    ) -> None:
        self._interpreter = interpreter
        self._policy = policy
        self._status = status
        self._audit = audit

    @command("help", roles=EVERYONE)
    async def help(
        self,
        call: Call,
        name: Annotated[str, Rest(), Help("a command or its first word")] = "",
    ) -> Reply:
        """List what you can ask for, or explain one command."""
        words = name.removeprefix("!").lower().split()
        mine = self._open_to(self._policy().role_of(call.caller.principal))
        if not words:
            return _overview(mine, len(self._interpreter().catalog.commands) - len(mine))
        below = [found for found in mine if found.name.split()[: len(words)] == words]
        if len(below) > 1 and " ".join(words) not in self._interpreter().catalog.commands:
            return _overview(below, 0)
        found, _ = self._interpreter().catalog.find(words)
        return _explanation(found)

    def _open_to(self, role: Role) -> list[Command]:
        return [
            found for found in self._interpreter().catalog.commands.values() if role in found.roles
        ]

    @command("why", roles=ANYBODY, private=True)
    async def why(
        self,
        call: Call,
        principal: Annotated[
            str | None, Help("whom it is about, such as matrix:@ann:example.org")
        ] = None,
        action: Annotated[
            str | None, Rest(), Help("a command, to see what would be decided")
        ] = None,
    ) -> Reply:
        """Say which rule decided what you asked for; operators may ask about others."""
        policy, asking = self._policy(), call.caller.principal
        about = asking if principal is None else Principal(principal, principal)
        if about.id != asking.id and policy.role_of(asking) is not Role.OPERATOR:
            raise UserError(
                f"{about.id} is not you, and only operators may ask about others",
                code="forbidden",
                hint="`why` alone is about you",
            )
        role = policy.role_of(about)
        data: dict[str, Any] = {"principal": about.id, "role": role}
        if action is not None:
            decided = policy.authorize(about, action, call.source.lane, call.caller.via)
            data["decision"] = {
                "action": action,
                "allowed": decided.allowed,
                "rule": decided.rule,
                "reason": decided.reason,
            }
        data["last"] = [_plain(row) for row in await self._audit.last(about.id, _SHOWN_DECISIONS)]
        return Reply(data, _why_blocks(data))

    @command("confirm", roles=ANYBODY, effect=Effect.WRITE)
    async def confirm(self, call: Call, code: Digits, *, asked_by: AskedBy = None) -> Reply:
        """Say yes to the destructive command that waits for you under this code."""
        return await self._interpreter().replay(code, call, asked_by)

    @command("cancel", roles=ANYBODY, effect=Effect.WRITE)
    async def cancel(self, call: Call, code: Digits, *, asked_by: AskedBy = None) -> Reply:
        """Say no to the destructive command that waits for you under this code."""
        line = (await self._interpreter().drop(code, call, asked_by)).line
        return Reply({"cancelled": line}, (Text(f"Left alone, nothing was done: {line}"),))

    @command("status", roles=EVERYONE)
    async def status(self, call: Call) -> Reply:
        """Show how the daemon and its parts are."""
        known = dict(self._status())
        return Reply(known, status_blocks(known))


def _overview(commands: Sequence[Command], hidden: int) -> Reply:
    ordered = sorted(commands, key=lambda found: (" " in found.name, found.name.split()[0]))
    rows: list[tuple[str, str]] = []
    for _, group in groupby(ordered, key=lambda found: found.name.split()[0]):
        rows += [(found.name, found.summary) for found in group]
    blocks: list[Block] = [Table(("command", "what it does"), tuple(rows))]
    blocks.append(Text("`help COMMAND` explains one; in a room a command begins with `!`."))
    if hidden:
        blocks.append(Text(f"{hidden} more are not open to you."))
    return Reply(
        {"commands": [{"name": name, "summary": summary} for name, summary in rows]}, tuple(blocks)
    )


def _explanation(found: Command) -> Reply:
    permitted = allowed_values(found)
    arguments = [
        {
            "name": parameter.written,
            "required": parameter.required,
            "help": parameter.help,
            "allowed": permitted.get(parameter.name, ""),
            "default": None if parameter.default is None else str(parameter.default),
        }
        for parameter in found.grammar.parameters
    ]
    data = {
        "name": found.name,
        "also": list(found.also),
        "usage": found.grammar.usage,
        "summary": found.summary,
        "details": found.details,
        "arguments": arguments,
        "roles": sorted(found.roles),
        "asks_first": found.confirm,
    }
    blocks: list[Block] = [Text(found.summary), Code(found.grammar.usage)]
    if found.details:
        blocks.append(Text(found.details))
    if arguments:
        rows = tuple((str(a["name"]), str(a["help"]), str(a["allowed"])) for a in arguments)
        blocks.append(Table(("argument", "what it is", "allowed"), rows))
    pairs = [("for", ", ".join(f"{role}s" for role in sorted(found.roles)))]
    if found.also:
        pairs.append(("also", ", ".join(found.also)))
    if found.confirm is not None:
        pairs.append(("asks first", found.confirm))
    return Reply(data, (*blocks, Fields(tuple(pairs))))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an audit row as JSON-ready values: times in RFC 3339."""
    return {
        key: value.isoformat() if hasattr(value, "isoformat") else value
        for key, value in row.items()
    }


def _why_blocks(data: Mapping[str, Any]) -> tuple[Block, ...]:
    blocks: list[Block] = [Text(f"{data['principal']} has the role {data['role']} here.")]
    if (decided := data.get("decision")) is not None:
        verdict = "allowed" if decided["allowed"] else "refused"
        blocks.append(
            Text(
                f"{decided['action']} would be {verdict}: {decided['reason']} (rule {decided['rule']})."
            )
        )
    rows = tuple(
        (
            str(row.get("at", ""))[:19],
            str(row.get("action", "")),
            "allowed" if row.get("allowed") else "refused",
            f"{row.get('rule', '')}: {row.get('reason', '')}",
        )
        for row in data["last"]
    )
    if rows:
        blocks.append(Table(("when", "what", "decision", "rule"), rows))
    else:
        blocks.append(Text("Nothing that was asked for is on record."))
    return tuple(blocks)
