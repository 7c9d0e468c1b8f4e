"""One Discord server in memory: its channels, threads, messages and people, and the rules that Discord has for them."""

import itertools
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.stages.discord_stand_in.payloads import (
    FORUM,
    HAS_THREAD,
    ORDINARY,
    PUBLIC_THREAD,
    REPLY,
    TEXT,
    THREAD_STARTER,
    Bot,
    Channel,
    Payload,
    User,
    member_payload,
)

EPOCH_MILLISECONDS = 1_420_070_400_000
LONGEST = 2000
LONGEST_NONCE = 25
LARGEST_FILE = 10 * 1024 * 1024
NONCE_SECONDS = 120.0

Emit = Callable[[str, Payload], None]


class Refused(Exception):  # noqa: N818 - Discord's answer, not a fault of ours
    """An answer of Discord that is no success: a status, and a code of its list of JSON error codes."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class World:
    """The server. ``emit`` is called with everything that the gateway tells bots.

    ``now`` dates what is said; ids follow a clock of their own that only goes forward, as Discord's do.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.monotonic: Callable[[], float] = time.monotonic
        self._numbers = itertools.count(1)
        self._last_id = 0
        self.guild_id = self.new_id()
        self.bots: dict[str, Bot] = {}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.pinged: dict[str, list[str]] = {}
        self.marks: dict[str, list[tuple[str, str]]] = {}
        self.files: dict[str, bytes] = {}
        self.typing: list[str] = []
        self.no_threads: Refused | None = None
        self._nonces: dict[tuple[str, str], tuple[str, str, float]] = {}

    # -- who and where ---------------------------------------------------------------------------------

    def new_id(self) -> str:
        """Return an id: milliseconds since Discord's epoch, and a counter, larger than any before."""
        moment = int(time.time() * 1000) - EPOCH_MILLISECONDS
        self._last_id = max(self._last_id + 1, moment << 22)
        return str(self._last_id)

    def add_bot(
        self, name: str = "mosaic", token: str | None = None, *, reads_words: bool = True
    ) -> Bot:
        user = self._add_user(name, is_bot=True)
        bot = Bot(user, token or f"token-of-{user.id}", reads_words)
        self.bots[bot.token] = bot
        return bot

    def add_person(self, name: str) -> User:
        return self._add_user(name)

    def _add_user(self, name: str, *, is_bot: bool = False) -> User:
        user = User(self.new_id(), name, is_bot)
        self.users[user.id] = user
        return user

    def add_channel(self, name: str = "fleet", kind: int = TEXT) -> Channel:
        channel = Channel(self.new_id(), kind, name)
        self.channels[channel.id] = channel
        self._emit("CHANNEL_CREATE", channel.payload(self.guild_id))
        return channel

    def channel(self, channel_id: str) -> Channel:
        found = self.channels.get(channel_id)
        if found is None:
            raise Refused(404, 10003, "Unknown Channel")
        if found.hidden:
            raise Refused(403, 50001, "Missing Access")
        return found

    def message(self, channel_id: str, message_id: str) -> Payload:
        found = self.channel(channel_id).messages.get(message_id)
        if found is None:
            raise Refused(404, 10008, "Unknown Message")
        return found

    # -- what is said ----------------------------------------------------------------------------------

    def say(
        self, author: User, channel_id: str, said: Payload, files: list[Payload] | None = None
    ) -> Payload:
        """Say something as Discord lets it be said; the same nonce within minutes is the same message."""
        channel = self.channel(channel_id)
        self._check(channel, said, files or [])
        nonce = str(said["nonce"]) if said.get("nonce") is not None else None
        if nonce and said.get("enforce_nonce") and (known := self._known(author, nonce)):
            return known
        if channel.archived:
            self.set_archived(channel, archived=False)
        message = self._message(author, channel, said, files or [])
        channel.messages[message["id"]] = message
        channel.last_message_id = message["id"]
        if nonce:
            self._nonces[author.id, nonce] = (channel.id, message["id"], self.monotonic())
        self.pinged[message["id"]] = self._pinged(said, message)
        told = message | ({"nonce": nonce} if nonce else {})
        self._emit("MESSAGE_CREATE", told | self._of_guild(author))
        return told

    def _check(self, channel: Channel, said: Payload, files: list[Payload]) -> None:
        content = said.get("content") or ""
        if channel.kind == FORUM:
            raise Refused(400, 50008, "Cannot send messages in a non-text channel")
        if channel.locked:
            raise Refused(403, 50083, "Thread is archived")
        if len(content) > LONGEST:
            raise Refused(400, 50035, f"Invalid Form Body: content has {len(content)} of {LONGEST}")
        if not (content.strip() or files or said.get("embeds") or said.get("components")):
            raise Refused(400, 50006, "Cannot send an empty message")
        if len(str(said.get("nonce") or "")) > LONGEST_NONCE:
            raise Refused(400, 50035, "Invalid Form Body: nonce is too long")
        if any(len(file["content"]) > LARGEST_FILE for file in files):
            raise Refused(413, 40005, "Request entity too large")
        self._check_reference(channel, said.get("message_reference"))

    def _check_reference(self, channel: Channel, reference: Payload | None) -> None:
        if reference is None or str(reference["message_id"]) in channel.messages:
            return
        if reference.get("fail_if_not_exists", True):
            raise Refused(400, 50035, "Invalid Form Body: message_reference: Unknown message")

    def _known(self, author: User, nonce: str) -> Payload | None:
        channel_id, message_id, at = self._nonces.get((author.id, nonce), ("", "", 0.0))
        if not message_id or self.monotonic() - at > NONCE_SECONDS:
            return None
        found = self.channels[channel_id].messages.get(message_id)
        if found is None:
            raise Refused(404, 10008, "Unknown Message")
        return found | {"nonce": nonce}

    def forget_nonces(self) -> None:
        """Let the minutes be over in which a nonce counts."""
        self._nonces.clear()

    def _message(
        self, author: User, channel: Channel, said: Payload, files: list[Payload]
    ) -> Payload:
        message_id = self.new_id()
        content = (said.get("content") or "").strip()
        reference = said.get("message_reference")
        answered = reference and str(reference["message_id"]) in channel.messages
        return {
            "id": message_id,
            "channel_id": channel.id,
            "author": author.payload(),
            "content": content,
            "timestamp": self.now().isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [self.users[one].payload() for one in _named(content) if one in self.users],
            "mention_roles": [],
            "attachments": [self._attachment(channel, file) for file in files],
            "embeds": said.get("embeds") or [],
            "components": said.get("components") or [],
            "pinned": False,
            "type": said.get("type", REPLY if answered else ORDINARY),
            "flags": said.get("flags", 0),
            **({"message_reference": reference} if answered else {}),
        }

    def _attachment(self, channel: Channel, file: Payload) -> Payload:
        """Keep a file under a tidied name, as Discord does; ``title`` keeps the name that was given."""
        attachment_id, name = self.new_id(), str(file["filename"])
        tidy = re.sub(r"[^A-Za-z0-9._-]+", "_", name)
        self.files[attachment_id] = file["content"]
        path = f"attachments/{channel.id}/{attachment_id}/{tidy}"
        title = {} if tidy == name else {"title": name.rpartition(".")[0] or name}
        return {
            "id": attachment_id,
            "filename": tidy,
            "size": len(file["content"]),
            "url": path,
            "proxy_url": path,
            "content_type": file.get("content_type"),
            **title,
        }

    def _pinged(self, said: Payload, message: Payload) -> list[str]:
        """Return whom a message calls; without ``allowed_mentions`` everybody that it names."""
        allowed = said.get("allowed_mentions")
        named = [one["id"] for one in message["mentions"]]
        if "@everyone" in message["content"]:
            named.append("everyone")
        if allowed is not None:
            kinds, users = allowed.get("parse", []), [str(one) for one in allowed.get("users", [])]
            named = [
                one
                for one in named
                if one in users or ("everyone" if one == "everyone" else "users") in kinds
            ]
        reference = message.get("message_reference")
        if reference and (allowed is None or allowed.get("replied_user")):
            answered = self.channels[message["channel_id"]].messages[str(reference["message_id"])]
            named.append(answered["author"]["id"])
        return named

    def _of_guild(self, author: User) -> Payload:
        member = member_payload(author)
        del member["user"]
        return {"guild_id": self.guild_id, "member": member}

    def edit(self, author: User, channel_id: str, message_id: str, said: Payload) -> Payload:
        message = self._own(author, channel_id, message_id)
        if len(said.get("content") or "") > LONGEST:
            raise Refused(400, 50035, "Invalid Form Body: content")
        for key in ("content", "embeds", "components", "flags"):
            if key in said:
                message[key] = said[key].strip() if key == "content" else said[key]
        message["edited_timestamp"] = datetime.now(UTC).isoformat()
        self._emit("MESSAGE_UPDATE", message | self._of_guild(author))
        return message

    def _own(self, author: User, channel_id: str, message_id: str) -> Payload:
        message = self.message(channel_id, message_id)
        if self.channel(channel_id).archived:
            raise Refused(400, 50083, "Thread is archived")
        if message["author"]["id"] != author.id:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        return message

    def delete(self, channel_id: str, message_id: str) -> None:
        channel = self.channel(channel_id)
        self.message(channel_id, message_id)
        del channel.messages[message_id]
        told = {"id": message_id, "channel_id": channel_id, "guild_id": self.guild_id}
        self._emit("MESSAGE_DELETE", told)

    # -- marks -----------------------------------------------------------------------------------------

    def mark(self, user: User, channel_id: str, message_id: str, emoji: Payload) -> None:
        author = self.message(channel_id, message_id)["author"]["id"]
        if self.channel(channel_id).archived:
            raise Refused(400, 50083, "Thread is archived")
        standing = self.marks.setdefault(message_id, [])
        if (user.id, emoji["name"]) in standing:
            return
        standing.append((user.id, emoji["name"]))
        told = self._mark_told(user, channel_id, message_id, emoji)
        self._emit(
            "MESSAGE_REACTION_ADD",
            told | {"message_author_id": author, "member": member_payload(user)},
        )

    def unmark(self, user: User, channel_id: str, message_id: str, emoji: Payload) -> None:
        self.message(channel_id, message_id)
        standing = self.marks.setdefault(message_id, [])
        if (user.id, emoji["name"]) not in standing:
            return
        standing.remove((user.id, emoji["name"]))
        self._emit("MESSAGE_REACTION_REMOVE", self._mark_told(user, channel_id, message_id, emoji))

    def _mark_told(self, user: User, channel_id: str, message_id: str, emoji: Payload) -> Payload:
        return {
            "user_id": user.id,
            "channel_id": channel_id,
            "message_id": message_id,
            "guild_id": self.guild_id,
            "emoji": emoji,
            "type": 0,
            "burst": False,
        }

    # -- threads ---------------------------------------------------------------------------------------

    def begin_thread(self, owner: User, channel_id: str, message_id: str, name: str) -> Channel:
        """Begin the one thread that a message can have; it has the message's id."""
        message = self.message(channel_id, message_id)
        if self.no_threads is not None:
            raise self.no_threads
        if message_id in self.channels:
            raise Refused(400, 160004, "A thread has already been created for this message")
        if self.channel(channel_id).kind != TEXT:
            raise Refused(400, 50024, "Cannot execute action on this channel type")
        thread = self.add_thread(owner, channel_id, name, message_id)
        message["flags"] |= HAS_THREAD
        self._emit("MESSAGE_UPDATE", message | self._of_guild(self.users[message["author"]["id"]]))
        said = {"content": "", "type": THREAD_STARTER}
        starter = self._message(owner, thread, said, [])
        thread.messages[starter["id"]] = starter
        self._emit("MESSAGE_CREATE", starter | self._of_guild(owner))
        return thread

    def add_thread(
        self, owner: User, channel_id: str, name: str, thread_id: str | None = None
    ) -> Channel:
        if not 1 <= len(name) <= 100:
            raise Refused(400, 50035, "Invalid Form Body: name")
        thread = Channel(thread_id or self.new_id(), PUBLIC_THREAD, name, channel_id, owner.id)
        self.channels[thread.id] = thread
        self._emit("THREAD_CREATE", thread.payload(self.guild_id) | {"newly_created": True})
        return thread

    def set_archived(self, thread: Channel, *, archived: bool) -> None:
        thread.archived, thread.archived_at = archived, self.now().isoformat()
        self._emit("THREAD_UPDATE", thread.payload(self.guild_id))

    def change(self, channel_id: str, changes: Payload) -> Channel:
        """Change a thread: name, tags, archived, locked. All but unarchiving is refused in an archived one."""
        channel = self.channel(channel_id)
        if channel.archived and changes.get("archived") is not False:
            raise Refused(400, 50083, "Thread is archived")
        channel.name = changes.get("name", channel.name)
        channel.tags = [str(tag) for tag in changes.get("applied_tags", channel.tags)]
        channel.locked = changes.get("locked", channel.locked)
        if "available_tags" in changes:
            new = ({"id": self.new_id()} | _given(tag) for tag in changes["available_tags"])
            channel.available_tags = list(new)
        if "archived" in changes:
            channel.archived, channel.archived_at = changes["archived"], self.now().isoformat()
        event = "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
        self._emit(event, channel.payload(self.guild_id))
        return channel

    def threads(self, *, archived: bool, parent_id: str | None = None) -> list[Channel]:
        found = (
            one for one in self.channels.values() if one.is_thread and one.archived == archived
        )
        return [one for one in found if parent_id is None or one.parent_id == parent_id]

    def tell(self, event: str, told: dict[str, Any]) -> None:
        """Tell bots something else, such as an interaction."""
        self._emit(event, told)


def _given(tag: Payload) -> Payload:
    return {name: value for name, value in tag.items() if value is not None}


def _named(content: str) -> list[str]:
    return re.findall(r"<@!?(\d+)>", content)
