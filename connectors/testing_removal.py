"""What every connector does when something of ours is to be taken away: a part of the connectors' contract suite."""

from dataclasses import replace

from bot.model import MessageKind, ReceiptState
from connectors.stage import Ledger, Stage, Standing, listening, outbound


class RemovalContract:
    """Messages and marks of ours that are taken away; a platform that edits nothing takes nothing away."""

    async def test_what_we_said_or_marked_can_be_taken_away(self, stage: Stage) -> None:
        if not stage.connector.capabilities().edits:
            return
        ledger = Ledger()
        async with listening(stage, ledger):
            event_id = await stage.speak("!help")
            await ledger.arrival(event_id)
            said = await stage.connector.send(outbound(stage, "a secret"))
            await stage.connector.send(outbound(stage, "stays"))
            mark = replace(outbound(stage, "👍", MessageKind.REACTION), reply_to=event_id)
            marked = await stage.connector.send(mark)
            for gone in (said, marked):
                redaction = outbound(stage, "", MessageKind.REDACTION)
                redaction = replace(redaction, replaced_event=gone.platform_id)
                for _ in range(2):  # a repeated one changes nothing
                    result = await stage.connector.send(redaction)
                    assert result.state is ReceiptState.ACCEPTED
            assert await stage.standing() == [Standing("stays")]
            assert await stage.marks(event_id) == []
            await ledger.arrival(await stage.speak("the end"))
        assert ledger.texts() == ["!help", "the end"]
