"""The graph of cards: what waits for what, as a tree or for Mermaid."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from bot.backlog.overview import Excerpt
from bot.backlog.ports import Overview
from bot.command.declare import EVERYONE, Call, Help, command, topic
from bot.model import Via
from bot.reply import Block, Code, Reply, Text
from commands.card_words import CardId
from commands.graph_drawing import mermaid, tree


class GraphForm(StrEnum):
    """How a graph is drawn."""

    MERMAID = "mermaid"
    TREE = "tree"


@topic("backlog", also=("fleet backlog",))
class GraphCommands:
    """Pieces of the graph."""

    def __init__(self, overview: Overview) -> None:
        self._overview = overview

    @command("graph", roles=EVERYONE)
    async def graph(
        self,
        call: Call,
        id: CardId | None = None,
        *,
        depth: Annotated[int, Field(ge=1, le=20), Help("how many steps away from the card")] = 3,
        limit: Annotated[int, Field(ge=1, le=500), Help("how many cards at most")] = 60,
        format: Annotated[
            GraphForm | None, Help("how it is drawn; in a room mermaid, else as a tree")
        ] = None,
    ) -> Reply:
        """Draw what waits for what: around a card, or all of it with open cards first."""
        if id is None:
            excerpt = await self._overview.whole(limit)
        else:
            excerpt = await self._overview.around(id, depth, limit)
        form = format or (GraphForm.MERMAID if call.caller.via is Via.CHAT else GraphForm.TREE)
        return Reply(_data(excerpt), _blocks(excerpt, id, form))


def _data(excerpt: Excerpt) -> dict[str, object]:
    cards = [
        {
            "id": card.id,
            "title": card.title,
            "status": card.status.value,
            "unmet_deps": card.unmet_deps,
            "depends_on": list(card.depends_on),
        }
        for card in excerpt.cards
    ]
    return {"cards": cards, "left_out": excerpt.left_out}


def _blocks(excerpt: Excerpt, card_id: str | None, form: GraphForm) -> tuple[Block, ...]:
    if not excerpt.cards:
        return (Text("The backlog is empty."),)
    if form is GraphForm.MERMAID:
        drawn: Block = Code(mermaid(excerpt.cards, card_id), "mermaid")
    else:
        drawn = Code(tree(excerpt.cards, card_id))
    if not excerpt.left_out:
        return (drawn,)
    cards = "card is" if excerpt.left_out == 1 else "cards are"
    wider = "--depth and --limit" if card_id else "--limit"
    return drawn, Text(f"{excerpt.left_out} more {cards} left out; {wider} show more.")
