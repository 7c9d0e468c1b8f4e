"""Questions to the backlog: why a card is not ready, and where something was written."""

from typing import Annotated

from pydantic import Field, StringConstraints

from bot.backlog.inquiry import reasons
from bot.backlog.ports import Checklists, Inquiry
from bot.command.declare import EVERYONE, WORKERS, Call, Effect, Help, Rest, command, topic
from bot.reply import Reply, Text
from commands.card_pages import card_data, cards_table, checklist_lines, token_for
from commands.card_words import CardId

SearchText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    Rest(),
    Help("words that a card's id, title or body holds, all of them"),
]


@topic("backlog", also=("fleet backlog",))
class InquiryCommands:
    """Why, search, and the checklist of acceptance criteria."""

    def __init__(self, inquiry: Inquiry, checklists: Checklists) -> None:
        self._inquiry = inquiry
        self._checklists = checklists

    @command("why", roles=EVERYONE)
    async def why(self, call: Call, id: CardId) -> Reply:
        """Say why a card is not ready: what it waits for, down to where the work is, and who holds it."""
        situation = await self._inquiry.situation(id)
        said = reasons(situation)
        card = situation.card
        data = {
            "id": card.id,
            "status": card.status.value,
            "unmet_deps": card.unmet_deps,
            "waits_for": [one.id for one in situation.waits_for],
            "roots": [one.id for one in situation.roots],
            "ahead": situation.ahead,
            "reasons": list(said),
        }
        return Reply(data, (Text("\n".join(said)),))

    @command("search", roles=EVERYONE)
    async def search(
        self,
        call: Call,
        text: SearchText,
        *,
        limit: Annotated[int, Field(ge=1, le=200), Help("how many at most")] = 20,
    ) -> Reply:
        """Find cards by words, archived ones too."""
        cards = await self._inquiry.search(text, limit)
        data = [card_data(card, token_for(call.caller, card)) for card in cards]
        return Reply(data, (cards_table(cards),) if cards else (Text("No card holds that."),))

    @command("check", roles=WORKERS, effect=Effect.WRITE)
    async def check(
        self,
        call: Call,
        id: CardId,
        *,
        item: Annotated[int, Field(ge=1, le=10_000), Help("which one, counted from 1")],
        undo: Annotated[bool, Help("it is open again")] = False,
    ) -> Reply:
        """Mark an item of a card's acceptance criteria as met."""
        card = await self._checklists.tick(id, item, call.caller, done=not undo)
        lines = checklist_lines(card)
        return Reply(card_data(card, token_for(call.caller, card)), (Text("\n".join(lines)),))
