"""What people take back or say anew: what has not begun yet follows them, what has is left as it is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.mail.lineup import Lineup
from bot.model import Inbound, InboundKind, Message, derived_id
from bot.ports import Correspondence, Outbox, Revisions


@dataclass(frozen=True, slots=True)
class Meant:
    """An event as its sender means it now; ``event`` is None when it was taken back."""

    event: Inbound | None
    revisions: Sequence[Inbound] = ()


class Revising:
    """Finds what an event means at the moment when it is taken up, and changes mail that was not typed yet.

    The platform decides who may redact whose words; an edit counts only from whoever said what it edits.
    """

    def __init__(
        self, revisions: Revisions, outbox: Outbox, correspondence: Correspondence
    ) -> None:
        self._revisions = revisions
        self._outbox = outbox
        self._correspondence = correspondence

    async def meant(self, event: Inbound, lineup: Lineup) -> Meant:
        """Return what an event means now, with the revisions that made it so."""
        if event.is_revision or not lineup.may_be_revised(event):
            return Meant(event)
        revisions = await self._revisions.of(event.source, event.event_id)
        if any(one.kind is InboundKind.REDACTION for one in revisions):
            return Meant(None, revisions)
        edits = [one for one in revisions if one.sender.id == event.sender.id]
        return Meant(replace(event, text=edits[-1].text) if edits else event, edits)

    async def take_back(self, revision: Inbound) -> bool:
        """End the mail that came of what is revised, if nothing of it was typed; repeatable."""
        if revision.stands_on is None:
            return False
        for mail in await self._mail(revision, revision.stands_on):
            said = "redacted by" if revision.kind is InboundKind.REDACTION else "said anew by"
            reason = f"{said} {revision.sender.id} ({revision.event_id})"
            if await self._outbox.withdraw(mail.id, reason) or await self._is_ours(mail, reason):
                return True
        return False

    async def _mail(self, revision: Inbound, event_id: str) -> Sequence[Message]:
        """Return the mail to which an event led, the newest first: each edit may have led to more."""
        said = replace(revision, event_id=event_id)
        edits = await self._revisions.of(revision.source, event_id)
        found = []
        for one in (*reversed(edits), said):
            mail = None if one == revision else await self._correspondence.message(mail_id(one))
            if mail is not None and mail.origin_event == event_id:
                found.append(mail)
        if revision.kind is InboundKind.EDIT:
            return [mail for mail in found if mail.author == revision.sender.id]
        return found

    async def _is_ours(self, mail: Message, reason: str) -> bool:
        """Return whether this very revision took the mail back before a crash."""
        receipts = await self._correspondence.receipts(mail.id)
        return any(receipt.reason == f"withdrawn: {reason}" for receipt in receipts)


def mail_id(event: Inbound) -> str:
    """Return the id of the mail that an event's words become."""
    return derived_id("mail", event.id)
