"""Answers to what people touched: shown where Discord shows them, as long as it lets us.

Source: Discord's documentation, "Receiving and Responding to Interactions": three seconds to acknowledge, fifteen
minutes to answer. The token with which it is answered lives in memory only; a restart loses it, and then the answer is
said in the channel, or, when it was private, that it was lost.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp
import discord
import structlog

from bot.clock.backoff import Backoff
from bot.model import (
    PRIVATE,
    Address,
    Inbound,
    MessageKind,
    OutboundMessage,
    ReceiptState,
    SendResult,
    reply_id,
)
from connectors.discord.client import KIND
from connectors.discord.face import Content
from connectors.discord.failures import translated

_PATIENCE = timedelta(seconds=30)
_LOOKS = 6
_LOOK_AGAIN = Backoff(timedelta(milliseconds=100), timedelta(seconds=3))
NO_LINE = (aiohttp.ClientError, OSError, TimeoutError)
"""What the library lets through when the line fails."""

_MOST = 2000
_GONE = frozenset({10008, 10015, 10062, 50027})
"""What Discord says of a touch that cannot be answered any more: unknown message, webhook, interaction, invalid token."""

_ACKNOWLEDGED = 40060
"""What Discord says to a second acknowledgement: the library repeats one that was answered with an error 500."""

_ELSEWHERE = ("silent", "reference", "mention_author", "file", "nonce")
"""What a message has and the answer to a touch has not, or otherwise."""

_LOST = "A private answer was lost by a restart. Ask again, please."

Touch = discord.Interaction[Any]
Then = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class _Awaited:
    """A touch that waits for its answer; ``shown`` is what it was answered with, so that it is not twice.

    ``then`` is done once it was answered.
    """

    touch: Touch
    is_private: bool
    then: Then | None = None
    shown: str | None = None
    shown_id: int | None = None


class Answers:
    """Knows which touches wait for an answer. All of it raises what ``Api`` raises."""

    def __init__(self) -> None:
        self._awaited: OrderedDict[str, _Awaited] = OrderedDict()
        self._log = structlog.get_logger(part=KIND)

    async def acknowledge(self, touch: Touch, *, private: bool) -> str | None:
        """Tell Discord in time that an answer will come; return the id of what was touched, None when it is too late.

        It is the id of the answer to be, which is a message like any other; a private answer is none, so the touch
        itself gives its id.
        """
        try:
            told = await touch.response.defer(ephemeral=private, thinking=True)
            message_id = None if told is None else told.message_id
            if message_id is None and not private:
                message_id = (await touch.original_response()).id
        except (discord.DiscordException, *NO_LINE) as error:
            if not _is_open(error):
                self._log.warning("a touch came too late", error=reason_of(error))
                return None
            message_id = await self._stands(touch)
            if message_id is None:  # who touched is told that it failed, and touches again
                return None
        if private:
            return f"{touch.id}{PRIVATE}"
        return None if message_id is None else str(message_id)

    async def _stands(self, touch: Touch) -> int | None:
        """Return the answer to be when Discord has it, though it could not say so."""
        for attempt in range(1, _LOOKS + 1):
            await asyncio.sleep(_LOOK_AGAIN.wait(attempt).total_seconds())
            try:
                return (await touch.original_response()).id
            except (*NO_LINE, discord.DiscordServerError) as error:
                self._log.info(
                    "looking for an answer to be", error=reason_of(error), attempt=attempt
                )
            except discord.HTTPException as error:
                self._log.warning("a touch was not acknowledged", error=reason_of(error))
                break
        return None

    def expect(
        self, event: Inbound, touch: Touch, *, private: bool, then: Then | None = None
    ) -> None:
        """Note that what answers an event answers a touch, and what is to be done then."""
        self._awaited[reply_id(event.id)] = _Awaited(touch, private, then)
        self._forget()

    def _forget(self) -> None:
        """Forget touches that cannot be answered any more, the oldest first, and none but the newest in any case."""
        while self._awaited:
            oldest = next(iter(self._awaited.values()))
            if len(self._awaited) <= _MOST and not oldest.touch.is_expired():
                return
            self._awaited.popitem(last=False)

    async def answer(
        self, message: OutboundMessage, content: Content
    ) -> SendResult | OutboundMessage:
        """Show what answers a touch, and return the message when it answers none, or not there."""
        awaited = self._awaited.get(message.message_id)
        if awaited is not None and (message.part == 0 or awaited.is_private):
            shown = await self._show(awaited, message, content)
            if shown is not None:
                return shown
            del self._awaited[message.message_id]
        return self._said_otherwise(message)

    def _said_otherwise(self, message: OutboundMessage) -> SendResult | OutboundMessage:
        """Return a message as it is said in the channel; what was private stays unsaid."""
        if not (message.reply_to or "").endswith(PRIVATE):
            return message
        if message.kind is MessageKind.REACTION:
            return _unsaid("a private answer bears no mark")
        if message.part > 0:
            return _unsaid("the private answer was lost")
        return replace(message, text=_LOST, blocks=(), buttons=(), files=(), reply_to=None)

    async def _show(
        self, awaited: _Awaited, message: OutboundMessage, content: Content
    ) -> SendResult | None:
        """Put an answer where it is awaited, unless it is too late; the first part fills what Discord shows already."""
        if awaited.shown == message.transaction_id and awaited.shown_id is not None:
            return _said(awaited.shown_id)
        if awaited.touch.client.is_closed():
            return None  # we have logged in anew since, and a touch keeps to its own login
        whole = (await content(replace(message, reply_to=None)))()
        with translated("answering a touch"):
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                shown_id = await _put(awaited.touch, message.part, whole)
        if shown_id is None:
            self._log.info("an answer came too late", message=message.message_id)
            return None
        awaited.shown, awaited.shown_id = message.transaction_id, shown_id
        if awaited.then is not None:
            await awaited.then()
            awaited.then = None
        return _said(shown_id)

    async def refuse(self, touch: Touch, why: str) -> None:
        """Say at once, to who touched it alone, why nothing comes of it; best effort."""
        try:
            await touch.response.send_message(why[:2000], ephemeral=True)
        except (discord.DiscordException, *NO_LINE) as error:
            self._log.info("a refusal was not shown", error=reason_of(error))

    async def withdraw(self, touch: Touch, why: str) -> None:
        """Say instead of an answer why none comes; best effort."""
        try:
            await touch.edit_original_response(content=why)
        except (discord.DiscordException, *NO_LINE) as error:
            self._log.info("a refusal was not shown", error=reason_of(error))


def reason_of(error: Exception) -> str:
    """Return what went wrong, for the log: the words of a line that failed may hold the address, and that the token."""
    return str(error) if isinstance(error, discord.DiscordException) else type(error).__name__


def _is_open(error: Exception) -> bool:
    """Return whether Discord may have been told all the same."""
    if isinstance(error, discord.HTTPException):
        return error.status >= 500 or error.code == _ACKNOWLEDGED
    return isinstance(error, NO_LINE)


def place_of(touch: Touch) -> Address:
    """Return where something was touched."""
    channel = touch.channel
    if isinstance(channel, discord.Thread):
        return Address(KIND, str(channel.parent_id), str(channel.id))
    return Address(KIND, str(touch.channel_id))


async def _put(touch: Touch, part: int, whole: Mapping[str, Any]) -> int | None:
    try:
        if part == 0:
            return (await touch.edit_original_response(**_filling(whole))).id
        return (await touch.followup.send(**_following(whole), ephemeral=True, wait=True)).id
    except discord.HTTPException as error:
        if error.code not in _GONE:
            raise
        return None


def _filling(whole: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in whole.items() if name not in _ELSEWHERE}
    if (file := whole.get("file")) is not None:
        made["attachments"] = [file]
    return made


def _following(whole: Mapping[str, Any]) -> dict[str, Any]:
    made = {name: value for name, value in whole.items() if name not in _ELSEWHERE}
    if (file := whole.get("file")) is not None:
        made["file"] = file
    if made.get("content") is None:
        made.pop("content", None)
    return made


def _said(message_id: int) -> SendResult:
    platform_id = str(message_id)
    return SendResult(ReceiptState.ACCEPTED, platform_id, evidence={"message_id": platform_id})


def _unsaid(why: str) -> SendResult:
    return SendResult(ReceiptState.UNKNOWN, by=None, reason=f"not shown: {why}")
