"""What people touch on Discord, each as an event that goes the one way in: slash commands, buttons, selects, forms.

Source: Discord's documentation, "Receiving and Responding to Interactions". A slash command, a form and a button that
says a line are that line, said by whoever touched it; a button below an offer is a mark on its message. All of them are
stored before they are handled, and judged there as if they had been typed; what is asked here only decides whether the
answer is for one person alone.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import discord
import structlog

from bot.clock.backoff import Backoff
from bot.clock.insistence import Insistence
from bot.command.catalog import Command
from bot.command.lobby import Leave, Lobby
from bot.command.wording import Value, write_line
from bot.errors import MosaicError, TransientError, UserError
from bot.model import (
    Decision,
    Inbound,
    InboundBatch,
    InboundKind,
    OutboundMessage,
    Principal,
    SendResult,
)
from bot.ports import Accept
from connectors.discord.client import KIND, DiscordClient
from connectors.discord.events import principal
from connectors.discord.face import Content
from connectors.discord.touches.answers import (
    NO_LINE,
    Answers,
    Then,
    Touch,
    place_of,
    reason_of,
)
from connectors.discord.touches.autocomplete import choices_for
from connectors.discord.touches.components import Deed, Press, Pressable
from connectors.discord.touches.modals import PREFIX, form_of, written_in
from connectors.discord.touches.options import values_of
from connectors.discord.touches.slash import Asked, Slashes
from connectors.discord.touches.telling import AGAIN, Telling

_REMEMBERED = 2000
_HURRY = timedelta(seconds=1.5)
"""How long the database may take before Discord is answered without it."""

_AWAY = Backoff(timedelta(milliseconds=200), timedelta(seconds=5))
_PATIENCE = timedelta(minutes=5)
_NOT_HERE = "Commands are taken only in the channels that the settings' access.rooms names."
_NO_MORE = "This command is no more; close Discord and open it again to see those that there are."
_NOT_OFFERED = "This is not offered any more."
_UNKNOWN = Leave(Decision(allowed=False, rule="unknown", reason="unknown"), is_private=True)
_NOT_TAKEN = "The database is away, so nothing was done. Ask again later, please."


class Interactions:
    """The face of one bot (implements Face): what it may be told, and what it answers to it.

    ``again`` says when Discord is told the slash commands that it could not take.
    """

    def __init__(self, lobby: Lobby, again: Backoff = AGAIN) -> None:
        self._lobby = lobby
        self._slashes = Slashes(lobby.commands)
        self._telling = Telling(self._slashes, again)
        self._answers = Answers()
        self._pressable = Pressable(self._press)
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._accept: Accept | None = None
        self._log = structlog.get_logger(part=KIND)
        self._insist = Insistence(_AWAY, self._note_absence)

    async def prepare(self, client: DiscordClient, accept: Accept, *, guild_id: int) -> None:
        """Listen to a client's touches, and tell Discord the commands if it knows others."""
        self._accept = accept
        client.add_dynamic_items(*self._pressable.kinds)
        client.event(self.on_interaction)
        await self._telling.begin(client, guild_id)

    async def answer(
        self, message: OutboundMessage, content: Content
    ) -> SendResult | OutboundMessage:
        """Show what answers a touch; see Face."""
        return await self._answers.answer(message, content)

    async def view(self, message: OutboundMessage) -> discord.ui.View | None:
        """Return a message's buttons; see Face."""
        return self._pressable.view(message.buttons)

    async def on_interaction(self, touch: Touch) -> None:
        """Be told of a touch; presses come by their components."""
        match touch.type:
            case discord.InteractionType.autocomplete:
                await self._complete(touch)
            case discord.InteractionType.application_command:
                await self._slash(touch)
            case discord.InteractionType.modal_submit:
                await self._submit(touch)

    # -- each sort of touch ----------------------------------------------------------------------------

    async def _complete(self, touch: Touch) -> None:
        """Suggest what may be meant; where that cannot be known in time, nothing."""
        asked, given = self._asked(touch)
        choices: list[discord.app_commands.Choice[str]] = []
        if asked is not None:
            try:
                async with asyncio.timeout(_HURRY.total_seconds()):
                    choices = await choices_for(
                        self._lobby, _who(touch), place_of(touch), asked.command, given
                    )
            except (MosaicError, TimeoutError) as error:
                self._log.info("nothing suggested", error=str(error))
        try:
            await touch.response.autocomplete(choices)
        except (discord.DiscordException, *NO_LINE) as error:
            self._log.info("a suggestion came too late", error=reason_of(error))

    async def _slash(self, touch: Touch) -> None:
        asked, given = self._asked(touch)
        if asked is None:
            await self._answers.refuse(touch, _NO_MORE)
        elif asked.as_form:
            await self._open(touch, asked.command, {})
        else:
            await self._say(touch, asked.command, values_of(asked.command, given))

    def _asked(self, touch: Touch) -> tuple[Asked | None, Sequence[Mapping[str, Any]]]:
        """Return what a slash command asks for, and its options."""
        data: Mapping[str, Any] = touch.data or {}
        path = [str(data.get("name"))]
        given: Sequence[Mapping[str, Any]] = data.get("options", ())
        while given and given[0]["type"] in {1, 2}:
            path.append(str(given[0]["name"]))
            given = given[0].get("options", ())
        return self._slashes.find(path), given

    async def _submit(self, touch: Touch) -> None:
        data: Mapping[str, Any] = touch.data or {}
        custom_id = str(data.get("custom_id", ""))
        if not custom_id.startswith(PREFIX):
            return
        found = self._begun(custom_id.removeprefix(PREFIX))
        if found is None:
            await self._answers.refuse(touch, _NO_MORE)
            return
        command, before = found
        await self._say(touch, command, written_in(command, before, data.get("components", ())))

    async def _press(self, touch: Touch, press: Press) -> None:
        if press.deed is Deed.OFFER:
            await self._choose(touch, press.what)
            return
        found = self._begun(press.what)
        if found is None:
            await self._answers.refuse(touch, _NO_MORE)
        elif press.deed is Deed.FORM:
            await self._open(touch, *found)
        else:
            await self._say(touch, *found)

    def _begun(self, line: str) -> tuple[Command, Mapping[str, Value]] | None:
        """Return the command that a component's line begins; None for one that is no more."""
        try:
            return self._lobby.find(line)
        except UserError:
            return None

    # -- what comes of it ------------------------------------------------------------------------------

    async def _open(self, touch: Touch, command: Command, given: Mapping[str, Value]) -> None:
        """Open a form for who may run its command; whether they may is asked again when it is sent."""
        leave = self._lobby.leave(_who(touch), command, place_of(touch))
        form = form_of(command, given) if leave.decision.allowed else None
        if form is None:
            why = (
                leave.decision.reason if not leave.decision.allowed else "There is nothing to ask."
            )
            await self._answers.refuse(touch, why)
            return
        form.stop()  # else the library keeps it until it is sent, and most are not
        try:
            await touch.response.send_modal(form)
        except (discord.DiscordException, *NO_LINE) as error:
            self._log.info("a form was not opened", error=reason_of(error))

    async def _say(self, touch: Touch, command: Command, values: Mapping[str, Value]) -> None:
        """Let a command be said by who touched it, as a line."""
        try:
            line = write_line(command, values)
        except UserError as error:
            hint = f" {error.hint}" if error.hint else ""
            await self._answers.refuse(touch, f"{error.message}.{hint}")
            return
        leave = self._lobby.leave(_who(touch), command, place_of(touch))
        if self._is_new(touch) and await self._is_taken(touch):
            event_id = await self._answers.acknowledge(touch, private=leave.is_private)
            if event_id is not None:
                event = _event(touch, event_id, f"!{line}")
                await self._bring(event, touch, private=leave.is_private)

    async def _choose(self, touch: Touch, mark: str) -> None:
        """Let an offer be chosen; the answer stands below it, what is private or refused for who pressed alone."""
        message = touch.message
        if message is None or not self._is_new(touch) or not await self._is_taken(touch):
            return
        event = _event(touch, str(touch.id), mark, InboundKind.REACTION, str(message.id))
        leave = await self._leave_to_choose(event)
        if leave is None:
            await self._answers.refuse(touch, _NOT_OFFERED)
            return
        is_private = message.flags.ephemeral or leave.is_private
        event_id = await self._answers.acknowledge(touch, private=is_private)
        if event_id is None:
            return
        spent = leave.decision.allowed and not message.flags.ephemeral
        then = partial(self._take_away, message) if spent else None
        await self._bring(replace(event, event_id=event_id), touch, private=is_private, then=then)

    async def _take_away(self, message: discord.Message) -> None:
        """Take the buttons away of which one was chosen: the others mean nothing any more. Best effort."""
        try:
            await message.edit(view=self._pressable.without_offers(message))
        except (discord.DiscordException, *NO_LINE) as error:
            self._log.info("buttons stay", error=reason_of(error))

    async def _leave_to_choose(self, event: Inbound) -> Leave | None:
        try:
            async with asyncio.timeout(_HURRY.total_seconds()):
                return await self._lobby.leave_to_choose(event)
        except (MosaicError, TimeoutError) as error:
            # What it is cannot be known now: the router will know, and until then nobody else is told.
            self._log.info("nobody knows who may press this now", error=str(error))
            return _UNKNOWN

    def _is_new(self, touch: Touch) -> bool:
        """Return whether a touch was not told before: after a break of the line Discord tells some again."""
        if touch.id in self._seen:
            return False
        self._seen[touch.id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True

    async def _is_taken(self, touch: Touch) -> bool:
        """Return whether commands are taken where it was touched, and say so when they are not."""
        if self._lobby.takes(place_of(touch)):
            return True
        await self._answers.refuse(touch, _NOT_HERE)
        return False

    async def _bring(
        self, event: Inbound, touch: Touch, *, private: bool, then: Then | None = None
    ) -> None:
        """Store an event, for as long as it takes within reason; a touch that was not stored says so."""
        self._answers.expect(event, touch, private=private, then=then)
        try:
            async with asyncio.timeout(_PATIENCE.total_seconds()):
                await self._insist(lambda: self._store(event))
        except TimeoutError:
            self._log.error("a touch was lost: the database is away", event_id=event.event_id)
            await self._answers.withdraw(touch, _NOT_TAKEN)

    async def _store(self, event: Inbound) -> None:
        if self._accept is None:
            raise TransientError("nobody stores what is touched yet")
        await self._accept(InboundBatch(KIND, (event,)))

    def _note_absence(self, error: TransientError, attempt: int) -> None:
        self._log.info("database away", error=error.message, attempt=attempt)


def _who(touch: Touch) -> Principal:
    return principal(touch.user.id, touch.user.name)


def _event(
    touch: Touch,
    event_id: str,
    text: str,
    kind: InboundKind = InboundKind.TEXT,
    stands_on: str | None = None,
) -> Inbound:
    return Inbound(
        event_id=event_id,
        source=place_of(touch),
        sender=_who(touch),
        text=text,
        sent_at=touch.created_at,
        kind=kind,
        stands_on=stands_on,
    )
