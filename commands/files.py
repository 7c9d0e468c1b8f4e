"""Files that agents send into the conversation that they are in."""

from typing import Annotated

from pydantic import Field

from bot.command.declare import Call, Effect, File, FileUse, Help, command, topic
from bot.enclosure import size_text
from bot.errors import UserError
from bot.mail.outgoing import Outgoing
from bot.model import Role
from bot.reply import Reply, Text
from commands.mail import MessageId

FilePath = Annotated[
    str,
    Field(min_length=1, max_length=4096),
    File(FileUse.PATH),
    Help("the file, in your working directory or your inbox"),
]
Caption = Annotated[str, Field(max_length=4000), Help("what stands below it")]
To = Annotated[MessageId, Help("the message that it answers; else the newest that waits for you")]


@topic("agent")
class FileCommands:
    """What agents send beside their words."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    @command("enclose", roles=frozenset({Role.AGENT}), effect=Effect.WRITE)
    async def enclose(
        self, call: Call, file: FilePath, *, caption: Caption = "", to: To | None = None
    ) -> Reply:
        """Send a file to whoever asked you, into the thread of that conversation."""
        if call.caller.principal.platform != "agent":
            raise UserError("only an agent encloses files in its answers", code="forbidden")
        sent = await self._outgoing.enclose(call.caller.principal, file, caption, to)
        data = {
            "message_id": sent.message.id,
            "to": str(sent.message.to),
            "name": sent.file.name,
            "media_type": sent.file.media_type,
            "bytes": sent.file.size,
        }
        said = f"{sent.file.name} ({size_text(sent.file.size)}) is on its way to {sent.message.to}."
        return Reply(data, (Text(said),))
