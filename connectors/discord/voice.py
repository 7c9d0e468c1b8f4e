"""What we say: messages, edits and marks, each where it belongs, and each once.

Source: Discord's documentation, "Create Message" (nonce, enforce_nonce), "Start Thread from Message". A thread that
begins with a message has that message's id, and a message has one at most: so whoever names a thread names the
message too, and the thread can be begun whenever it is missing.
"""

import contextlib
import io
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import discord
import structlog

from bot.enclosure import Enclosure
from bot.errors import UserError
from bot.files.contents import bytes_of
from bot.model import Address, MessageKind, OutboundMessage, ReceiptState, SendResult
from bot.ports import Contents
from connectors.discord.api import Api
from connectors.discord.client import KIND
from connectors.discord.embeds import shown_of
from connectors.discord.face import Face
from connectors.discord.failures import (
    ARCHIVED,
    NO_POWER,
    NO_THREADS_THERE,
    THREAD_EXISTS,
    TOO_MANY_THREADS,
    UNKNOWN_CHANNEL,
    UNKNOWN_MESSAGE,
)
from connectors.discord.limits import FILE_BYTES, LONGEST
from connectors.discord.lookback import Lookback
from connectors.discord.places import Places, number_of
from connectors.discord.posts import Posts
from connectors.discord.recent import Recent, title_of

LONGEST_NONCE = 25
_GONE = frozenset({UNKNOWN_MESSAGE, UNKNOWN_CHANNEL})
_THREADLESS = TOO_MANY_THREADS | {UNKNOWN_MESSAGE, NO_THREADS_THERE, NO_POWER}
"""Why a message has no thread; no power and too many threads are said of one that has one, too."""

_CALLING = frozenset({MessageKind.REPLY, MessageKind.ANSWER})
"""Kinds that call whom they answer; what only tells how far something is lets people sleep."""

_UNTITLED = "conversation"


class Voice:
    """Says things as one bot. All of it raises what ``Api`` raises."""

    def __init__(
        self,
        api: Api,
        places: Places,
        recent: Recent,
        contents: Contents,
        face: Face,
        *,
        lookback: Lookback,
        posts: Posts,
    ) -> None:
        self._api = api
        self._posts = posts
        self._places = places
        self._recent = recent
        self._contents = contents
        self._face = face
        self._lookback = lookback
        self._log = structlog.get_logger(part=KIND)

    async def say(self, message: OutboundMessage) -> SendResult:
        """Show a message and return Discord's id of it; a mark has none, and gets one of ours."""
        if message.kind is MessageKind.REDACTION:
            return await self._take_away(message)
        if message.replaced_event is not None and message.kind is not MessageKind.REACTION:
            return await self._edit(message, number_of(message.replaced_event, message.to))
        answered = await self._face.answer(message, self._whole)
        if isinstance(answered, SendResult):
            return answered
        if answered.kind is MessageKind.REACTION:
            return await self._mark(answered)
        return await self._speak(answered)

    async def _whole(self, message: OutboundMessage) -> Callable[[], dict[str, Any]]:
        content = await self._content(message)
        return lambda: {"content": shown_of(message)[0] or None, **content()}

    async def say_again(self, message: OutboundMessage, first_tried_at: datetime) -> SendResult:
        """Say what may have been said before, unless it is found; unknown when nobody can tell."""
        words = message.kind not in {MessageKind.REACTION, MessageKind.REDACTION}
        if not words or message.replaced_event is not None:
            return await self.say(message)  # done twice it is as if it was done once
        if await self._posts.forum_of(message.to) is not None:
            return await self.say(message)  # a post is looked for in any case
        if self._recent.said(nonce_of(message)) is None:
            return await self._look_before_saying(message, first_tried_at)
        return await self.say(message)

    async def _look_before_saying(
        self, message: OutboundMessage, first_tried_at: datetime
    ) -> SendResult:
        is_old = self._lookback.is_needed(first_tried_at)
        if not is_old and not _may_answer_a_touch(message):
            return await self.say(message)
        try:
            found = await self._lookback.find(message, first_tried_at)
        except LookupError as error:
            if not is_old:
                return await self.say(message)
            reason = f"it may have been shown: {error}"
            return SendResult(ReceiptState.UNKNOWN, by=None, reason=reason)
        return _accepted(str(found)) if found is not None else await self.say(message)

    async def _speak(self, message: OutboundMessage) -> SendResult:
        nonce = nonce_of(message)
        shown = self._recent.said(nonce)
        if shown is None:
            shown = await self._post(message, nonce)
        return _accepted(str(shown))

    async def _post(self, message: OutboundMessage, nonce: str) -> int:
        (words, _), content = shown_of(message), await self._content(message)
        if (forum := await self._posts.forum_of(message.to)) is not None:
            post_id = await self._posts.make(forum, message, words, **content())
            self._recent.say(nonce, post_id, post_id)
            return post_id
        channel_id = await self._channel(message.to)
        try:
            sent = await self._api.post(channel_id, words, nonce=nonce, **content())
        except UserError as error:
            if error.code != UNKNOWN_CHANNEL or message.to.thread is None:
                raise
            channel_id = await self._channel(message.to, is_gone=True)
            sent = await self._api.post(channel_id, words, nonce=nonce, **content())
        self._recent.say(nonce, channel_id, sent.id)
        return sent.id

    async def _content(self, message: OutboundMessage) -> Any:
        """Return what gives the rest of a message; it is made anew for each try, since a file is read once."""
        if len(message.text) > LONGEST:
            raise UserError(
                f"the message has {len(message.text)} characters; Discord takes {LONGEST}"
            )
        file = message.files[0] if message.files else None
        data = b"" if file is None else await self._bytes(file)
        view = await self._face.view(message)
        answers, (_, embeds) = _answered(message), shown_of(message)

        def content() -> dict[str, Any]:
            more: dict[str, Any] = {"silent": message.kind is MessageKind.PROGRESS}
            if embeds:
                more["embeds"] = embeds
            if file is not None:
                more["file"] = discord.File(io.BytesIO(data), filename=file.name)
            if view is not None:
                more["view"] = view
            if answers is not None:
                more |= {"reference": answers, "mention_author": _calls(message)}
            return more

        return content

    async def _bytes(self, file: Enclosure) -> bytes:
        if file.size > FILE_BYTES:
            raise UserError(f"{file.name} has {file.size} bytes; Discord takes {FILE_BYTES}")
        return b"".join([piece async for piece in bytes_of(file, self._contents)])

    # -- threads ---------------------------------------------------------------------------------------

    async def _channel(self, to: Address, *, is_gone: bool = False) -> int:
        """Return the channel or thread of an address; a thread that is missing is begun, also one that was deleted.

        What can have no thread, such as a message that is gone, is answered in the channel itself.
        """
        place = number_of(to.place, to)
        if to.thread is None:
            return place
        thread = number_of(to.thread, to)
        is_there = not is_gone and self._places.has_thread(thread)
        return thread if is_there or await self._begin(place, thread) else place

    async def _begin(self, place: int, thread: int) -> bool:
        try:
            await self._api.begin_thread(place, thread, await self._title(place, thread))
        except UserError as error:
            if error.code in _THREADLESS and not await self._stands(thread):
                self._log.warning("no thread", place=place, message=thread, error=error.message)
                return False
            if error.code not in {*_THREADLESS, THREAD_EXISTS}:
                raise
        self._places.note_thread(thread, place)
        return True

    async def _stands(self, thread: int) -> bool:
        try:
            await self._api.channel(thread)
        except UserError:
            return False
        return True

    async def _title(self, place: int, message_id: int) -> str:
        known = self._recent.title(message_id)
        if known is None:
            with contextlib.suppress(UserError):
                known = title_of((await self._api.message(place, message_id)).clean_content)
        return known or _UNTITLED

    # -- what stands already ---------------------------------------------------------------------------

    def _homes(self, to: Address, message_id: int) -> Sequence[int]:
        """Return where a message may stand, the likeliest first: a thread's first one is in its channel or in itself."""
        place = number_of(to.place, to)
        thread = place if to.thread is None else number_of(to.thread, to)
        guess = place if message_id == thread else thread
        known = self._recent.channel(message_id)
        return tuple(dict.fromkeys(one for one in (known, guess, thread, place) if one is not None))

    async def _at_home(self, to: Address, message_id: int, step: Any) -> bool:
        """Do something to a message where it stands; False when it stands nowhere."""
        for home in self._homes(to, message_id):
            try:
                await self._awake(home, step)
            except UserError as error:
                if error.code not in _GONE:
                    raise
            else:
                return True
        return False

    async def _awake(self, channel_id: int, step: Any) -> None:
        """Do something in a channel or thread; in one that was put away nothing can be changed."""
        try:
            await step(channel_id)
        except UserError as error:
            if error.code != ARCHIVED:
                raise
            await self._api.unarchive(channel_id)
            await step(channel_id)

    async def _edit(self, message: OutboundMessage, message_id: int) -> SendResult:
        """Say a message anew, once: told again it would undo what came after it."""
        words, embeds = shown_of(message)
        nonce = nonce_of(message)

        async def edit(channel_id: int) -> None:
            await self._api.edit(channel_id, message_id, content=words, embeds=embeds)
            self._recent.say(nonce, channel_id, message_id)

        if self._recent.said(nonce) is None and not await self._at_home(
            message.to, message_id, edit
        ):
            return _not_shown("what it edits is gone")
        return _accepted(str(message_id))

    async def _take_away(self, message: OutboundMessage) -> SendResult:
        """Take a message or a mark of ours away; one that is gone already is fine."""
        gone = message.replaced_event or ""
        message_id, mark = number_of(gone, message.to), gone.partition(":")[2]

        async def take(channel_id: int) -> None:
            if mark:
                await self._api.unmark(channel_id, message_id, mark)
            else:
                await self._api.delete(channel_id, message_id)

        await self._at_home(message.to, message_id, take)
        return SendResult(ReceiptState.ACCEPTED, evidence={"redacted": message.replaced_event})

    async def _mark(self, message: OutboundMessage) -> SendResult:
        """Put a mark on a message, and then take the one away whose place it takes."""
        if not message.reply_to:
            raise UserError("a reaction needs the event that it stands on; reply_to is empty")
        message_id = number_of(message.reply_to, message.to)

        async def mark(channel_id: int) -> None:
            await self._api.mark(channel_id, message_id, message.text)

        if not await self._at_home(message.to, message_id, mark):
            return _not_shown("what it stands on is gone, or was never a message")
        former = (message.former_mark or "").partition(":")[2]
        if former and former != message.text:

            async def unmark(channel_id: int) -> None:
                await self._api.unmark(channel_id, message_id, former)

            await self._at_home(message.to, message_id, unmark)
        return _accepted(f"{message_id}:{message.text}")


def nonce_of(message: OutboundMessage) -> str:
    """Return the nonce of a message: a hundred bits of its transaction id, which is random enough."""
    return message.transaction_id[:LONGEST_NONCE]


def _answered(message: OutboundMessage) -> discord.MessageReference | None:
    """Return what a message is shown to answer; a thread answers the message that began it by itself."""
    answered = message.reply_to
    if answered is None or answered == message.to.thread or message.part > 0:
        return None
    return discord.MessageReference(
        message_id=number_of(answered, message.to),
        channel_id=number_of(message.to.thread or message.to.place, message.to),
        fail_if_not_exists=False,
    )


def _may_answer_a_touch(message: OutboundMessage) -> bool:
    """Return whether it may have been shown as the answer of a slash command or a press, which has no nonce."""
    return message.kind is MessageKind.REPLY and message.part == 0 and bool(message.reply_to)


def _calls(message: OutboundMessage) -> bool:
    return message.kind in _CALLING


def _accepted(platform_id: str) -> SendResult:
    return SendResult(ReceiptState.ACCEPTED, platform_id, evidence={"message_id": platform_id})


def _not_shown(why: str) -> SendResult:
    return SendResult(ReceiptState.UNKNOWN, by=None, reason=f"not shown: {why}")
