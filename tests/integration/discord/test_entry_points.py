"""A stranger at every entry point of Discord: nothing is run, suggested, opened or chosen."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import discord
import pytest
from simcord import InteractionResult, MemberActor

from bot.backlog.cards import CardFilter
from bot.model import Inbound, InboundBatch, InboundKind, Message, MessageKind, Principal
from bot.reply import Offer, Text, standing_offer
from connectors.discord.touches.components import Deed
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.mailroom import Room
from tests.stages.touches import Server, TouchMiddle, a_server, message_of, text_of
from tests.waiting import until

OFFERS = (
    Offer("👍", "press y", "press y", timedelta(hours=1)),
    standing_offer("press n", "press n"),
    standing_offer("backlog block --id A1", "hold it back", is_form=True),
)
MANY = tuple(standing_offer(f"press {word}", f"press {word}") for word in "abcdef")


@dataclass(slots=True)
class Scene:
    """What strangers find: a message with buttons, one with a select, and a form that somebody opened."""

    server: Server
    middle: TouchMiddle
    buttons: discord.Message
    select: discord.Message
    form: InteractionResult
    backlog: MemoryBacklog

    def is_over(self) -> bool:
        """Return whether all that came in was handled."""
        waiting = {"stored", "running"}
        return all(event.state not in waiting for event in self.middle.room.events.values())

    async def bring(
        self, who: MemberActor, kind: InboundKind, text: str, stands_on: str | None = None
    ) -> None:
        """Let somebody do what comes in without a touch."""
        sender = Principal(f"discord:{who.id}", who.name)
        event = Inbound(
            "7", self.server.place, sender, text, datetime.now(UTC), kind, stands_on=stands_on
        )
        await self.middle.router.accept(InboundBatch("discord", (event,)))


@contextlib.asynccontextmanager
async def a_scene() -> AsyncIterator[Scene]:
    async with a_server() as server:
        backlog = MemoryBacklog()
        middle = TouchMiddle(server, Room(), backlog)
        async with middle.at_work():
            buttons = await say(server, middle, "few", OFFERS)
            select = await say(server, middle, "many", MANY)
            form = await server.ann.slash(server.channel, "form card")
            yield Scene(server, middle, buttons, select, form, backlog)


async def say(
    server: Server, middle: TouchMiddle, name: str, offers: tuple[Offer, ...]
) -> discord.Message:
    said = Message(name, server.place, MessageKind.NOTICE, (Text(name),), offers=offers)
    await middle.mailbox.post([said])
    return await message_of(server, name)


async def by_words(found: Scene, who: MemberActor) -> None:
    await found.bring(who, InboundKind.TEXT, "!press words")


async def by_mark(found: Scene, who: MemberActor) -> None:
    await found.bring(who, InboundKind.REACTION, "👍", str(found.buttons.id))


async def by_edit(found: Scene, who: MemberActor) -> None:
    await found.bring(who, InboundKind.EDIT, "!press edited", "6")


async def by_slash(found: Scene, who: MemberActor) -> InteractionResult:
    return await who.slash(found.server.channel, "press", key="slash")


async def by_suggestion(found: Scene, who: MemberActor) -> None:
    offered = await who.autocomplete(found.server.channel, "agent answer", "name", "coder")
    assert offered == []


async def by_form_command(found: Scene, who: MemberActor) -> InteractionResult:
    return await who.slash(found.server.channel, "form card")


async def by_offer(found: Scene, who: MemberActor) -> InteractionResult:
    return await who.click(found.buttons, label="Press y")


async def by_line(found: Scene, who: MemberActor) -> InteractionResult:
    return await who.click(found.buttons, label="Press n")


async def by_form_button(found: Scene, who: MemberActor) -> InteractionResult:
    return await who.click(found.buttons, label="Hold it back")


async def by_select(found: Scene, who: MemberActor) -> InteractionResult:
    return await who.select(found.select, ["line:press c"])


async def by_form(found: Scene, who: MemberActor) -> InteractionResult:
    """Send a form that another opened: Discord does not let that happen, and we do not rely on it."""
    assert found.form.modal is not None
    texts = [
        {"type": 18, "component": {"type": 4, "custom_id": name, "value": value}}
        for name, value in (("id", "A1"), ("title", "paint"))
    ]
    data = {"custom_id": found.form.modal["custom_id"], "components": texts}
    return await who._dispatch_interaction(5, found.server.channel, data)


Entry = Callable[[Scene, MemberActor], Awaitable[InteractionResult | None]]

ENTRIES: dict[str, Entry] = {
    "words": by_words,
    "mark": by_mark,
    "edit": by_edit,
    "slash command": by_slash,
    "suggestion": by_suggestion,
    "form's command": by_form_command,
    "offer": by_offer,
    "line": by_line,
    "form's button": by_form_button,
    "select": by_select,
    "form": by_form,
}
"""Every way in. A new deed of a component, or a new type of interaction, must stand here."""


@pytest.mark.parametrize("name", ENTRIES)
async def test_a_stranger_is_refused(name: str) -> None:
    async with a_scene() as found:
        result = await ENTRIES[name](found, found.server.eve)
        if result is not None:
            assert result.modal is None
            assert result.ephemeral
            said = await text_of(result)
            assert "refused" in said or "has the role stranger" in said
        await until(found.is_over)
        assert found.middle.toys.ran == []
        assert await found.backlog.list(CardFilter()) == []


@pytest.mark.parametrize("name", ["words", "mark", "slash command", "offer", "line", "select"])
async def test_an_operator_is_not(name: str) -> None:
    async with a_scene() as found:
        await ENTRIES[name](found, found.server.ann)
        await until(lambda: len(found.middle.toys.ran) == 1)


def test_every_sort_of_interaction_and_every_deed_has_its_entry() -> None:
    types = set(discord.InteractionType) - {discord.InteractionType.ping}
    entered = {
        discord.InteractionType.application_command: "slash command",
        discord.InteractionType.autocomplete: "suggestion",
        discord.InteractionType.component: "offer",
        discord.InteractionType.modal_submit: "form",
    }
    assert set(entered) == types
    deeds = {Deed.OFFER: "offer", Deed.LINE: "line", Deed.FORM: "form's button"}
    assert set(deeds) == set(Deed)
    assert {*entered.values(), *deeds.values()} <= set(ENTRIES)
