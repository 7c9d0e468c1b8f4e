"""What Discord says of its things: the JSON of users, channels, threads, messages and servers.

Source: Discord's documentation, "Resources".
"""

from dataclasses import dataclass, field
from typing import Any

TEXT, DIRECT, PUBLIC_THREAD, FORUM = 0, 1, 11, 15
ORDINARY, REPLY, THREAD_CREATED, THREAD_STARTER = 0, 19, 18, 21
HAS_THREAD = 1 << 5
CONTENT_FLAG = 1 << 18
ALL_PERMISSIONS = str(
    (1 << 50) - 1 - (1 << 3)
)  # all but to be an administrator, whom nothing is denied
READ_MESSAGE_HISTORY = str(1 << 16)

Payload = dict[str, Any]


@dataclass
class User:
    """Somebody with an account."""

    id: str
    username: str
    is_bot: bool = False

    def payload(self) -> Payload:
        return {
            "id": self.id,
            "username": self.username,
            "global_name": self.username.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.is_bot,
        }


@dataclass
class Bot:
    """A bot's account; ``reads_words`` is the privileged intent, ``knocks`` how often it may still identify."""

    user: User
    token: str
    reads_words: bool = True
    knocks: int = 1000


@dataclass
class Channel:
    """A channel or a thread, with what was said in it, by id; in a ``closed_book`` nobody may read back."""

    id: str
    kind: int
    name: str
    parent_id: str | None = None
    owner_id: str = "0"
    archived: bool = False
    locked: bool = False
    archived_at: str = "2020-01-01T00:00:00+00:00"
    tags: list[str] = field(default_factory=list)
    available_tags: list[Payload] = field(default_factory=list)
    last_message_id: str | None = None
    messages: dict[str, Payload] = field(default_factory=dict)
    hidden: bool = False
    closed_book: bool = False

    @property
    def is_thread(self) -> bool:
        return self.kind == PUBLIC_THREAD

    def payload(self, guild_id: str) -> Payload:
        told: Payload = {
            "id": self.id,
            "type": self.kind,
            "guild_id": guild_id,
            "name": self.name,
            "parent_id": self.parent_id,
            "last_message_id": self.last_message_id,
            "rate_limit_per_user": 0,
            "flags": 0,
        }
        if self.kind == DIRECT:
            return {"id": self.id, "type": self.kind, "recipients": []}
        return told | (self._of_thread() if self.is_thread else self._of_channel(guild_id))

    def _of_thread(self) -> Payload:
        return {
            "owner_id": self.owner_id,
            "message_count": len(self.messages),
            "total_message_sent": len(self.messages),
            "member_count": 1,
            "applied_tags": self.tags,
            "thread_metadata": {
                "archived": self.archived,
                "auto_archive_duration": 1440,
                "archive_timestamp": self.archived_at,
                "locked": self.locked,
                "create_timestamp": self.archived_at,
            },
        }

    def _of_channel(self, guild_id: str) -> Payload:
        denied = {"id": guild_id, "type": 0, "allow": "0", "deny": READ_MESSAGE_HISTORY}
        return {
            "position": 0,
            "topic": None,
            "nsfw": False,
            "permission_overwrites": [denied] if self.closed_book else [],
            "available_tags": self.available_tags,
            "default_reaction_emoji": None,
            "default_sort_order": None,
            "default_forum_layout": 0,
        }


def member_payload(user: User) -> Payload:
    """Return a user as a member of the server."""
    return {
        "user": user.payload(),
        "roles": [],
        "joined_at": "2020-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
        "nick": None,
    }


def guild_payload(guild_id: str, channels: list[Channel], bot: User) -> Payload:
    """Return the server as GUILD_CREATE tells of it."""
    seen = [one for one in channels if not one.hidden]
    return {
        "id": guild_id,
        "name": "Workshop",
        "unavailable": False,
        "member_count": 2,
        "owner_id": "1",
        "features": [],
        "emojis": [],
        "stickers": [],
        "roles": [{"id": guild_id, "name": "@everyone", "permissions": ALL_PERMISSIONS}],
        "members": [member_payload(bot)],
        "channels": [one.payload(guild_id) for one in seen if not one.is_thread],
        "threads": [one.payload(guild_id) for one in seen if one.is_thread and not one.archived],
        "joined_at": "2020-01-01T00:00:00+00:00",
        "large": False,
    }


def application_payload(bot: Bot) -> Payload:
    """Return the application that a bot belongs to."""
    return {
        "id": bot.user.id,
        "name": bot.user.username,
        "description": "",
        "icon": None,
        "bot_public": False,
        "bot_require_code_grant": False,
        "owner": {"id": "1", "username": "owner", "discriminator": "0", "avatar": None},
        "verify_key": "",
        "flags": CONTENT_FLAG if bot.reads_words else 0,
    }
