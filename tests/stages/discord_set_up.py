"""`mosaic connector discord` as tests call it: with words, or with the lines of a person."""

import asyncio
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bot.cli.connecting import connect
from bot.cli.talk import Talk
from bot.config.places import Places
from bot.errors import MosaicError
from bot.reply import Block
from tests.stages.discord_office import TOKEN

GIVEN = {"DISCORD_BOT_TOKEN": TOKEN, "MOSAIC_ACCESS_MEMBERS": "discord:4"}


async def set_up(
    places: Places, *words: str, environ: Mapping[str, str] = GIVEN, talk: Talk | None = None
) -> tuple[dict[str, Any], Sequence[Block]]:
    """Run it, and return its data and what people read."""
    return await asyncio.to_thread(connect, places, words, environ, talk)


async def refusal(places: Places, *words: str, environ: Mapping[str, str] = GIVEN) -> MosaicError:
    """Return why it refuses; the token is never in it."""
    with pytest.raises(MosaicError) as refused:
        await set_up(places, *words, environ=environ)
    assert TOKEN not in f"{refused.value.message} {refused.value.hint}"
    return refused.value


def talk_of(*lines: str, hidden: Sequence[str] = ()) -> tuple[Talk, io.StringIO]:
    """Return a talk with somebody who says these lines, and the paper on which it stands."""
    paper, secrets = io.StringIO(), iter(hidden)

    def read(question: str) -> str:
        paper.write(f"{question}\n")
        try:
            return next(secrets)
        except StopIteration:
            raise EOFError from None

    return Talk(io.StringIO("".join(f"{line}\n" for line in lines)), paper, read), paper
