"""What is said of a batch where its events were said: how much was missed, and what could not be read."""

from bot.model import Gap, InboundBatch, Message, MessageKind, Unreadable, derived_id
from bot.reply import Text


def account_of(batch: InboundBatch) -> list[Message]:
    """Return one notice for each gap and each unreadable event; the same batch says the same once."""
    return [
        *(_gap_notice(batch, gap) for gap in batch.gaps),
        *(_unreadable_notice(batch, one) for one in batch.unreadable),
    ]


def _gap_notice(batch: InboundBatch, gap: Gap) -> Message:
    return Message(
        id=derived_id("gap", batch.connector, gap.source.lane, batch.position or ""),
        to=gap.source,
        kind=MessageKind.NOTICE,
        blocks=(Text(f"recovered {gap.recovered}, lost {gap.lost}"),),
    )


def _unreadable_notice(batch: InboundBatch, one: Unreadable) -> Message:
    said = (
        f"I cannot read what {one.sender.name} wrote here: {one.why}. Say it again, or let your client send the"
        " keys once more; how is in `docs/howto/matrix.md`."
    )
    return Message(
        id=derived_id("unreadable", batch.connector, one.source.lane, one.event_id),
        to=one.source,
        kind=MessageKind.NOTICE,
        blocks=(Text(said),),
        reply_to=one.event_id,
    )
