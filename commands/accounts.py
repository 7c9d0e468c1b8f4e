"""Accounts of one person: linked by a code that one gives and the other says, and by a yes of both."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from pydantic import Field

from bot.command.declare import ANYBODY, Call, Effect, Help, command, topic
from bot.errors import UserError
from bot.model import Principal, Role
from bot.people.linking import CODE_LENGTH, LIFETIME, Linking
from bot.policy import Policy
from bot.reply import Reply, Table, Text, say

Code = Annotated[
    str,
    Field(pattern=rf"^[A-Za-z0-9]{{{CODE_LENGTH}}}$"),
    Help("the code that the other account was given"),
]
Account = Annotated[
    str | None, Help("an account such as discord:1234; others than yours: for operators")
]


@topic("account")
class AccountCommands:
    """Links of accounts (ADR 45). Everybody may ask: what it brings is decided by the settings alone."""

    def __init__(self, linking: Linking, policy: Callable[[], Policy]) -> None:
        self._linking = linking
        self._policy = policy

    @command(
        "link",
        roles=ANYBODY,
        effect=Effect.WRITE,
        confirm="Say yes only if you asked for this code yourself.",
        preview="preview_link",
        private=True,
    )
    async def link(self, call: Call, code: Code | None = None) -> Reply:
        """Become one person with your account on another platform: get a code here, say it there.

        Then the first account is asked once more. Each of the two may do from then on what the other may.
        """
        me = call.caller.principal
        if code is None:
            return await self._give_code(call)
        request = await self._linking.find(code, me)
        told = f"{_spoken(me)} has said your code. {self._meaning(request.asked_by, me)}"
        await self._linking.say(code, me, told)
        other = _spoken(request.asked_by)
        return say(
            f"{other} is asked now, where the code was given, and has the last word.",
            {"asked": request.asked_by.id, "linked": False},
        )

    async def preview_link(self, call: Call, code: Code | None = None) -> Reply | None:
        """Say whose code it is, before anybody agrees to be that one."""
        if code is None:
            return None
        request = await self._linking.find(code, call.caller.principal)
        meaning = self._meaning(request.asked_by, call.caller.principal)
        return say(f"This code was given to {_spoken(request.asked_by)}. {meaning}")

    async def _give_code(self, call: Call) -> Reply:
        place = call.thread or call.source
        request = await self._linking.ask(call.caller.principal, place, call.event_id)
        minutes = LIFETIME.seconds // 60
        text = (
            f"Say `!account link {request.code}` with your other account within {minutes} minutes."
            " You are asked here before anything comes of it."
        )
        data = {"code": request.code, "expires_in_seconds": LIFETIME.seconds}
        return say(text, data)

    @command("accept", roles=ANYBODY, effect=Effect.WRITE, personal=True)
    async def accept(self, call: Call, code: Code) -> Reply:
        """Say yes, as the account that was given the code: who said it is you."""
        me = call.caller.principal
        await self._linking.settle(code, me, agreed=True)
        return self._shown(me, "You are one person now.")

    @command("refuse", roles=ANYBODY, effect=Effect.WRITE, personal=True)
    async def refuse(self, call: Call, code: Code) -> Reply:
        """Say no, as the account that was given the code: who said it is not you."""
        request = await self._linking.settle(code, call.caller.principal, agreed=False)
        said_by = "" if request.said_by is None else f" with {_spoken(request.said_by)}"
        return say(f"You are not linked{said_by}.", {"linked": False})

    @command("unlink", roles=ANYBODY, effect=Effect.WRITE)
    async def unlink(self, call: Call, account: Account = None) -> Reply:
        """Take this account, or another of yours, out of what is linked; it counts at once."""
        about = self._require_mine(call, account)
        await self._linking.part(about.id)
        return say(f"{about.id} stands alone again.", {"unlinked": about.id})

    @command("show", roles=ANYBODY, private=True)
    async def show(self, call: Call, account: Account = None) -> Reply:
        """Show which accounts are linked with yours, and what they may be here together."""
        return self._shown(self._require_mine(call, account), "")

    def _require_mine(self, call: Call, account: str | None) -> Principal:
        """Return the account that is meant; only operators may mean somebody else's."""
        me = call.caller.principal
        if account is None:
            return me
        mine = account in self._linking.persons.of(me.id)
        if not mine and self._policy().role_of(me) is not Role.OPERATOR:
            raise UserError(
                f"{account} is not linked with you, and others' accounts are for operators",
                code="forbidden",
            )
        return Principal(account, account)

    def _shown(self, about: Principal, first: str) -> Reply:
        accounts = self._linking.persons.accounts(about.id)
        role = self._policy().role_of(about)
        data: dict[str, Any] = {
            "principal": about.id,
            "role": role,
            "accounts": [{"id": one.id, "name": one.name} for one in accounts],
        }
        if not accounts:
            return say(f"{about.id} is linked with nobody, and has the role {role} here.", data)
        table = Table(("account", "name"), tuple((one.id, one.name) for one in accounts))
        said = f"{first} Together: the role {role}.".strip()
        return Reply(data, (Text(said), table))

    def _meaning(self, one: Principal, other: Principal) -> str:
        """Say what a link of the two would mean, with every account that belongs to them already."""
        persons, policy = self._linking.persons, self._policy()
        all_ids = persons.of(one.id) | persons.of(other.id)
        roles = {policy.role_of(Principal(id, id)) for id in all_ids}
        role = next(role for role in (Role.OPERATOR, Role.MEMBER, Role.STRANGER) if role in roles)
        return f"{_together(all_ids)} would be one person here, with the role {role}."


def _together(ids: Iterable[str]) -> str:
    *first, last = sorted(ids)
    return f"{', '.join(first)} and {last}"


def _spoken(principal: Principal) -> str:
    return f"{principal.name} ({principal.id})"
