"""Who may do what: one question for every entry point, denied unless a rule allows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.model import Decision, Principal, Role, Via
from bot.persons import Persons

TALK = "talk"
INVITE = "invite"
ATTEND = "console attend"
STATUS = "daemon status"
STOP = "daemon stop"
LIST_COMMANDS = "commands list"
CHOOSE = "choose"
"""Answering what somebody was asked; who may is decided by ``may_choose`` alone."""

BUILT_IN: Mapping[str, frozenset[Role]] = {
    TALK: frozenset({Role.MEMBER, Role.OPERATOR}),
    INVITE: frozenset({Role.MEMBER, Role.OPERATOR}),
    ATTEND: frozenset({Role.OPERATOR}),
    STATUS: frozenset({Role.MEMBER, Role.AGENT, Role.OPERATOR}),
    STOP: frozenset({Role.OPERATOR}),
    LIST_COMMANDS: frozenset({Role.MEMBER, Role.AGENT, Role.OPERATOR}),
}
"""What can be done besides running a command: free text to the orchestrator, inviting the bot, a console,
and what the HTTP face says of the daemon itself."""

_ROOM_BOUND = frozenset({Via.CHAT})


@dataclass(frozen=True, slots=True)
class Access:
    """The settings' ``[access]``: stable ids only, an empty set is nobody.

    ``rooms`` are lanes (``matrix:!ops:example.org``) where commands are taken. ``persons`` are whose accounts
    are linked: what is said of one of them counts for all.
    """

    operators: frozenset[str]
    members: frozenset[str]
    rooms: frozenset[str]
    persons: Persons = field(default_factory=Persons)


class Policy:
    """Decides, and names the rule that decided; it holds no state and asks nobody.

    ``grants`` says per action (a command's name, or a built-in one) which roles may do it.
    """

    def __init__(self, access: Access, grants: Mapping[str, frozenset[Role]]) -> None:
        self._access = access
        self._grants = {**BUILT_IN, **grants}

    def role_of(self, principal: Principal) -> Role:
        """Return the role of a principal by its stable id; an unknown one is a stranger.

        A person with several accounts has the highest role that the settings give to one of them.
        """
        ids = self._access.persons.of(principal.id)
        if principal.platform == "local" or ids & self._access.operators:
            return Role.OPERATOR
        if principal.platform == "agent":
            return Role.AGENT
        return Role.MEMBER if ids & self._access.members else Role.STRANGER

    def accounts_of(self, principal: Principal) -> tuple[str, ...]:
        """Return the ids under which somebody is asked and remembered: the own one first, then those linked with it."""
        others = self._access.persons.of(principal.id) - {principal.id}
        return (principal.id, *sorted(others))

    def takes(self, resource: str, via: Via) -> bool:
        """Return whether commands are taken in this place: a room must be listed, other faces always are."""
        return via not in _ROOM_BOUND or resource in self._access.rooms

    def may_choose(
        self, principal: Principal, chooser: str | None, *, personal: bool = False
    ) -> Decision:
        """Return whether somebody may answer what ``chooser`` was asked: that one, or an operator if not ``personal``."""
        asked = chooser is None or chooser in self.accounts_of(principal)
        if asked or (not personal and self.role_of(principal) is Role.OPERATOR):
            return Decision(allowed=True, rule="asked-allowed", reason="it is theirs to answer")
        reason = (
            f"it was asked of {chooser}; only they{'' if personal else ' and operators'} answer it"
        )
        return Decision(allowed=False, rule="not-asked-denied", reason=reason)

    def authorize(self, principal: Principal, action: str, resource: str, via: Via) -> Decision:
        """Return whether ``principal`` may do ``action`` on ``resource`` through the face ``via``.

        ``resource`` is a lane when somebody speaks in a place, else what the call names.
        """
        roles = self._grants.get(action)
        if roles is None:
            return Decision(
                allowed=False, rule="unknown-action", reason=f"nothing is called {action!r}"
            )
        if action != INVITE and not self.takes(resource, via):
            return Decision(
                allowed=False,
                rule="room-not-listed",
                reason="commands are taken only in rooms that the settings' access.rooms names",
            )
        role = self.role_of(principal)
        if role in roles:
            reason = f"{action} is for {_names(roles)}{self._by_link(principal, role)}"
            return Decision(allowed=True, rule=f"{role}-allowed", reason=reason)
        return Decision(
            allowed=False,
            rule=f"{role}-denied",
            reason=f"{action} is for {_names(roles)}, and {principal.id} has the role {role}",
        )

    def _by_link(self, principal: Principal, role: Role) -> str:
        """Name the account whose role it is, when it is another one of the same person."""
        named = {Role.OPERATOR: self._access.operators, Role.MEMBER: self._access.members}
        ids = named.get(role, frozenset())
        if principal.platform == "local" or principal.id in ids:
            return ""
        return "".join(
            f"; {one} is the same person" for one in self.accounts_of(principal) if one in ids
        )


def _names(roles: frozenset[Role]) -> str:
    names = [f"{role}s" for role in sorted(roles)]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
