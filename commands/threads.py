"""The threads of cards: where people talk about one, and hear what becomes of it."""

from bot.backlog.ports import Threads
from bot.command.declare import WORKERS, Call, Effect, command, topic
from bot.errors import UserError
from bot.reply import Reply, say
from commands.card_words import CardId


@topic("backlog", also=("fleet backlog",))
class ThreadCommands:
    """Threads and their cards (ADR 16)."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads

    @command("bind", roles=WORKERS, effect=Effect.WRITE)
    async def bind(self, call: Call, id: CardId) -> Reply:
        """Make the thread in which this is said the card's.

        A card that was made in a room has its thread already; this is for imported ones.
        """
        if call.thread is None:
            raise UserError(
                "there is no thread here", hint="say it in a room, in a thread of its own"
            )
        if not await self._threads.bind(id, call.thread):
            owner = await self._threads.card_in(call.thread)
            said = f"this thread is card {owner}'s" if owner else f"{id} has a thread here already"
            raise UserError(said, hint=f"`backlog show {owner or id}` names it")
        return say(f"This thread is card {id}'s now.", {"id": id, "thread": str(call.thread)})
