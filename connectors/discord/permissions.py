"""What the bot must be allowed on Discord, and what it is: bits of permissions, and the link that asks for them.

Source: Discord's documentation, "Permissions" and "OAuth2". No library is needed for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

NEEDED: Mapping[str, int] = {
    "Add Reactions": 1 << 6,
    "View Channel": 1 << 10,
    "Send Messages": 1 << 11,
    "Embed Links": 1 << 14,
    "Attach Files": 1 << 15,
    "Read Message History": 1 << 16,
    "Create Public Threads": 1 << 35,
    "Send Messages in Threads": 1 << 38,
}
"""The least that everything works with. A thread that the bot made is its own: it needs nothing to archive it."""

MANAGE_CHANNELS = 1 << 4
"""Only to make a forum's tags; it is never asked for, since people can make them."""

_MEANS_NOTHING_IN_FORUMS = frozenset({"Create Public Threads"})
_ADMINISTRATOR = 1 << 3
_ALL = (1 << 63) - 1
_AUTHORIZE = "https://discord.com/oauth2/authorize"


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel grants or denies beside the server: to a role or to a member, by id."""

    id: str
    allow: int
    deny: int


def granted(
    everyone: str,
    own_id: str,
    roles: Mapping[str, int],
    held: Iterable[str],
    overwrites: Iterable[Overwrite],
) -> int:
    """Return a member's permissions in a channel.

    ``everyone`` is the id of the role that everybody has (it is the server's), ``roles`` the permissions of
    each role, ``held`` those of the member ``own_id``.
    """
    mine = {everyone, *held}
    base = 0
    for role in mine:
        base |= roles.get(role, 0)
    if base & _ADMINISTRATOR:
        return _ALL
    known = {one.id: one for one in overwrites}
    for step in ([everyone], sorted(mine - {everyone}), [own_id]):
        found = [known[id] for id in step if id in known]
        for one in found:
            base &= ~one.deny
        for one in found:
            base |= one.allow
    return base


def missing(permissions: int, *, forum: bool = False) -> tuple[str, ...]:
    """Return the names of what is needed and not there, as Discord's own pages call it.

    In a forum Send Messages makes posts, and Create Public Threads is ignored (Discord's documentation, "Start Thread
    in Forum or Media Channel").
    """
    ignored = _MEANS_NOTHING_IN_FORUMS if forum else frozenset[str]()
    return tuple(
        name for name, bit in NEEDED.items() if name not in ignored and not permissions & bit
    )


def invite_link(application_id: str, guild_id: str | None = None) -> str:
    """Return the link with which somebody who manages a server lets the bot in, with just these permissions."""
    asked = {
        "client_id": application_id,
        "scope": "bot applications.commands",
        "permissions": str(sum(NEEDED.values())),
    }
    if guild_id is not None:
        asked |= {"guild_id": guild_id, "disable_guild_select": "true"}
    return f"{_AUTHORIZE}?{urlencode(asked)}"
