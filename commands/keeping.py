"""Keeping the backlog: cards put away, removed and taken back, counters made sure of."""

from bot.backlog.ports import Keeping, Recount
from bot.command.declare import OPERATORS, WORKERS, Call, Effect, command, topic
from bot.reply import Reply, Table, Text
from commands.card_pages import card_data, token_for
from commands.card_words import CardId


@topic("backlog", also=("fleet backlog",))
class KeepingCommands:
    """Archive, delete, undo (ADR 17, ADR 18) and recount."""

    def __init__(self, keeping: Keeping, recount: Recount) -> None:
        self._keeping = keeping
        self._recount = recount

    @command("archive", roles=WORKERS, effect=Effect.WRITE)
    async def archive(self, call: Call, id: CardId) -> Reply:
        """Put a done card away: lists and the board leave it out, what depends on it is not touched."""
        card = await self._keeping.archive(id, call.caller)
        return Reply(card_data(card, None), (Text(f"Card {id} is archived."),))

    @command(
        "delete",
        roles=OPERATORS,
        effect=Effect.WRITE,
        confirm="This removes the card for good; only its history stays.",
    )
    async def delete(self, call: Call, id: CardId) -> Reply:
        """Remove a card that nobody holds and nothing depends on."""
        card = await self._keeping.delete(id, call.caller)
        return Reply(card_data(card, None), (Text(f"Card {id} is deleted: {card.title}"),))

    @command("undo", roles=OPERATORS, effect=Effect.WRITE)
    async def undo(self, call: Call, id: CardId) -> Reply:
        """Take back the last change of a card; once more does it again.

        What a claim was, a deletion and the making of a card cannot be had back, nor a completion on which
        others have gone on.
        """
        card = await self._keeping.undo(id, call.caller)
        text = f"The last change of card {id} is undone: it is {card.status.value}."
        return Reply(card_data(card, token_for(call.caller, card)), (Text(text),))

    @command("recount", roles=OPERATORS, effect=Effect.WRITE)
    async def recount(self, call: Call) -> Reply:
        """Compare every counter of unmet dependencies with the graph, and set right what is wrong."""
        drifts = await self._recount.recount(call.caller)
        data = [
            {"id": drift.card_id, "stored": drift.stored, "counted": drift.counted}
            for drift in drifts
        ]
        if not drifts:
            return Reply(data, (Text("Every counter is right."),))
        rows = tuple((d.card_id, str(d.stored), str(d.counted)) for d in drifts)
        return Reply(data, (Table(("card", "counted before", "counted now"), rows),))
