"""What is suggested while people write an option.

Source: Discord's documentation, "Autocomplete": 25 choices, names and values of 100 characters.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import discord

from bot.command.catalog import Command
from bot.command.grammar import Parameter
from bot.command.lobby import MOST, Lobby
from bot.model import Address, Principal
from bot.render.markup import storable
from connectors.discord.touches.options import clipped, option_name

_LONGEST: Final = 100


async def choices_for(
    lobby: Lobby,
    who: Principal,
    place: Address,
    command: Command,
    given: Sequence[Mapping[str, Any]],
) -> list[discord.app_commands.Choice[str]]:
    """Return the choices for the option that somebody writes; none for who may not run the command there."""
    writing = next((one for one in given if one.get("focused")), None)
    parameter = None if writing is None else _parameter(command, str(writing["name"]))
    if writing is None or parameter is None:
        return []
    begun = storable(str(writing.get("value", "")))
    found = await lobby.suggest(who, place, command, parameter, begun)
    return [
        discord.app_commands.Choice(name=clipped(one.label, _LONGEST), value=one.value)
        for one in found[:MOST]
        if 0 < len(one.value) <= _LONGEST
    ]


def _parameter(command: Command, name: str) -> Parameter | None:
    return next((one for one in command.grammar.parameters if option_name(one) == name), None)
