"""What people press: buttons and selects below our messages, good for ever, since all they mean stands in them.

Source: Discord's documentation, "Component Reference": 5 rows of 5 buttons, 25 options a select, ids of 100 characters,
labels of 80. The library finds a component's class again by its id's form, in messages from before a restart too.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import discord

from bot.reply import Button

LONGEST_ID: Final = 100
_LONGEST_LABEL = 80
_MOST_BUTTONS = 5
"""More are a select: they are a list, not a few things to do."""

_MOST_OPTIONS = 25
_PREFIX = "mosaic:"
_SELECT = f"{_PREFIX}select"
_AS_PICTURE = "\N{VARIATION SELECTOR-16}"
_PICTURES = frozenset("✅❌👍👎🙋🏁🚧🔓🔁🗄⌨⏸▶⬆⬇")
"""Marks of ours that Unicode has as emoji; anything else in an emoji's place is refused by Discord."""

_KEYCAP = re.compile(r"[0-9]\N{COMBINING ENCLOSING KEYCAP}")


class Deed(StrEnum):
    """What a press does: choose an offer by its mark, say a line, or open a form for the rest of one."""

    OFFER = "offer"
    LINE = "line"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Press:
    """What a press means; ``what`` is an offer's mark, or a line."""

    deed: Deed
    what: str

    @property
    def word(self) -> str:
        """The press as a word that a component carries."""
        return f"{self.deed.value}:{self.what}"


OnPress = Callable[[discord.Interaction[Any], Press], Awaitable[None]]


def read_press(word: str) -> Press:
    """Return what a component carries; ValueError for a word that is none of ours."""
    deed, _, what = word.partition(":")
    return Press(Deed(deed), what)


def press_of(button: Button) -> Press:
    """Return what a press on a button means."""
    if button.line is None:
        return Press(Deed.OFFER, button.mark)
    return Press(Deed.FORM if button.is_form else Deed.LINE, button.line)


class Pressable:
    """The classes of what is pressed, for one client: each press is told to ``on_press``."""

    def __init__(self, on_press: OnPress) -> None:
        class PressButton(
            discord.ui.DynamicItem[discord.ui.Button[Any]],
            template=r"mosaic:(?P<word>(?:offer|line|form):(?s:.+))",
        ):
            @classmethod
            async def from_custom_id(
                cls,
                interaction: discord.Interaction[Any],  # noqa: ARG003 - the library's form
                item: discord.ui.Item[Any],
                match: re.Match[str],  # noqa: ARG003 - the library's form
            ) -> "PressButton":
                assert isinstance(item, discord.ui.Button)  # noqa: S101 - the library chose it by its type
                return cls(item)

            async def callback(self, interaction: discord.Interaction[Any]) -> None:
                await on_press(interaction, read_press(self.custom_id.removeprefix(_PREFIX)))

        class PressSelect(
            discord.ui.DynamicItem[discord.ui.Select[Any]], template=re.escape(_SELECT)
        ):
            @classmethod
            async def from_custom_id(
                cls,
                interaction: discord.Interaction[Any],  # noqa: ARG003 - the library's form
                item: discord.ui.Item[Any],
                match: re.Match[str],  # noqa: ARG003 - the library's form
            ) -> "PressSelect":
                assert isinstance(item, discord.ui.Select)  # noqa: S101 - the library chose it by its type
                return cls(item)

            async def callback(self, interaction: discord.Interaction[Any]) -> None:
                await on_press(interaction, read_press(self.item.values[0]))

        self.kinds: tuple[type[discord.ui.DynamicItem[Any]], ...] = (PressButton, PressSelect)
        self._button, self._select = PressButton, PressSelect

    def view(self, buttons: Sequence[Button]) -> discord.ui.View | None:
        """Return what stands below a message, None for nothing; what does not fit into an id is left out."""
        fitting = {
            press_of(one).word: one
            for one in buttons
            if len(_PREFIX + press_of(one).word) <= LONGEST_ID
        }
        if not fitting:
            return None
        view = discord.ui.View(timeout=None)
        if len(fitting) > _MOST_BUTTONS:
            view.add_item(self._select(_select(fitting)))
            return view
        for word, one in fitting.items():
            view.add_item(self._button(_button(word, one)))
        return view

    def without_offers(self, message: discord.Message) -> discord.ui.View | None:
        """Return what may still be pressed below a message of which an offer was chosen, None for nothing."""
        rows = (row for row in message.components if isinstance(row, discord.ActionRow))
        standing = [
            one
            for row in rows
            for one in row.children
            if isinstance(one, discord.Button)
            and (one.custom_id or "").startswith(_PREFIX)
            and not (one.custom_id or "").startswith(f"{_PREFIX}{Deed.OFFER.value}:")
        ]
        if not standing:
            return None
        view = discord.ui.View(timeout=None)
        for one in standing:
            view.add_item(self._button(discord.ui.Button.from_component(one)))
        return view


def _button(word: str, button: Button) -> discord.ui.Button[Any]:
    return discord.ui.Button(
        label=_label(button),
        emoji=_emoji(button.mark),
        custom_id=_PREFIX + word,
        style=_STYLES.get(button.mark, discord.ButtonStyle.secondary),
    )


_STYLES = {
    "✅": discord.ButtonStyle.success,
    "👍": discord.ButtonStyle.success,
    "❌": discord.ButtonStyle.danger,
    "👎": discord.ButtonStyle.danger,
}


def _select(fitting: dict[str, Button]) -> discord.ui.Select[Any]:
    options = [
        discord.SelectOption(label=_label(one), value=word, emoji=_emoji(one.mark))
        for word, one in list(fitting.items())[:_MOST_OPTIONS]
    ]
    return discord.ui.Select(custom_id=_SELECT, placeholder="Choose", options=options)


def _label(button: Button) -> str:
    said = button.says or button.mark
    said = said[:1].upper() + said[1:]
    if button.mark and button.says and _emoji(button.mark) is None:
        said = f"{button.mark} {said}"
    return said if len(said) <= _LONGEST_LABEL else said[: _LONGEST_LABEL - 1] + "…"


def _emoji(mark: str) -> str | None:
    """Return a mark as an emoji, drawn as a picture; None when it is none."""
    bare = mark.replace(_AS_PICTURE, "")
    if _KEYCAP.fullmatch(bare):
        return f"{bare[0]}{_AS_PICTURE}{bare[1]}"
    if bare not in _PICTURES:
        return None
    return bare + _AS_PICTURE if bare in _TEXT_FIRST else bare


_TEXT_FIRST = frozenset("🗄⌨⏸▶⬆⬇")
"""Emoji that are drawn as text unless they are told otherwise."""
