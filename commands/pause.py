"""The kill switch: everything stands still, and goes on."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from bot.command.declare import OPERATORS, Call, Effect, Help, Rest, command, topic
from bot.errors import UsageError
from bot.reply import Reply, Text
from bot.supervision.pause import RESUME_OFFER, pause_data
from bot.supervision.pause_watch import PauseWatch
from commands.card_words import one_line

_FLAGS = ("--freeze", "--reason")

Why = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500),
    AfterValidator(one_line),
    Help("why, for people to read; or in plain words at the end of the line"),
]


@topic("")
class PauseCommands:
    """Stopping the fleet's work and letting it go on, on every host."""

    def __init__(self, watch: PauseWatch) -> None:
        self._watch = watch

    @command("pause", roles=OPERATORS, effect=Effect.WRITE)
    async def pause(
        self,
        call: Call,
        words: Annotated[Why, Rest(), Help("why, for people to read")] = "",
        *,
        reason: Why | None = None,
        freeze: Annotated[bool, Help("nobody claims and nothing at all is typed")] = False,
    ) -> Reply:
        """Stop handing out work, at once and on every host; what is under way is finished.

        Agents claim nothing, no work is typed to them, nothing is merged. People's own claims and messages
        go on, unless it is a freeze. Where no command reaches, `touch fleet/run/PAUSED` does the same.
        """
        if any(word in _FLAGS for word in words.split()):
            raise UsageError("a flag stands among the reason's words", hint="flags come first")
        why = " ".join(part for part in (reason, words) if part)
        standing = await self._watch.pause(
            call.caller.principal, why or None, call.source, freeze=freeze
        )
        how = "`resume` lets everything go on."
        blocks = (Text(f"{standing.sentence()}. {how}"),)
        return Reply({"paused": pause_data(standing)}, blocks, (RESUME_OFFER,))

    @command("resume", roles=OPERATORS, effect=Effect.WRITE)
    async def resume(self, call: Call) -> Reply:
        """Let everything go on: all pauses are lifted, and files that made one are removed."""
        lifted = await self._watch.resume(call.caller.principal, call.source)
        data = {"paused": None, "lifted": pause_data(lifted)}
        if lifted is None:
            return Reply(data, (Text("Nothing was paused."),))
        return Reply(data, (Text(f"Everything goes on; it was {lifted.notice()}."),))
