"""Files in what people say: whom they are for, and that they are to be fetched."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.backlog.ports import Threads
from bot.files.uploads import Upload, Uploads, upload_id
from bot.mail.marks import TAKEN, mark_on
from bot.model import Address, Inbound, Message


class Intake:
    """Takes down what somebody sent who may. Nothing is fetched here: that may take long, and fail.

    ``hint`` is called when there is something to fetch.
    """

    def __init__(self, uploads: Uploads, threads: Threads, hint: Callable[[], None]) -> None:
        self._hint = hint
        self._uploads = uploads
        self._threads = threads

    async def take(self, event: Inbound, to: Address, words: str) -> Sequence[Message]:
        """Want the files of an event for an agent, with the words below them; return what shows it. Repeatable.

        In a card's thread they are the card's, anywhere else they go to the agent's inbox.
        """
        card = await self._threads.card_in(event.source)
        uploads = [
            Upload(
                id=upload_id(event.id, number),
                attachment=attachment,
                source=event.source,
                event_id=event.event_id,
                sender=event.sender,
                caption=words.strip(),
                to=to,
                card=card,
            )
            for number, attachment in enumerate(event.attachments)
        ]
        # The caption is said once, with the first file.
        await self._uploads.want([uploads[0], *(replace(one, caption="") for one in uploads[1:])])
        self._hint()
        return [mark_on(event.source, event.event_id, TAKEN, event.id)]
