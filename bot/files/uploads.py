"""Files that people sent, from the wish to have them to the word that they are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bot.enclosure import Attachment, Enclosure
from bot.model import Address, Letter, Principal, derived_id


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that somebody sent and that we are to fetch.

    ``to`` is the agent that is told of it, ``card`` the card in whose thread it was sent. ``name`` is what it is
    called in its folder, once it is wanted. ``used`` is how many bytes that folder holds, ``attempts`` counts
    this one.
    """

    id: str
    attachment: Attachment
    source: Address
    event_id: str
    sender: Principal
    caption: str
    to: Address
    card: str | None = None
    name: str = ""
    used: int = 0
    attempts: int = 0
    wanted_at: datetime | None = None

    @property
    def folder(self) -> str:
        """Where it belongs: ``card:ID``, or ``inbox:HOST/NAME``."""
        return f"inbox:{self.to.place}" if self.card is None else f"card:{self.card}"


def upload_id(event_id: str, number: int) -> str:
    """Return the id of the upload of an event's file, by our id of the event and the file's number from 0."""
    return derived_id("upload", event_id, str(number))


@dataclass(frozen=True, slots=True)
class Arrival:
    """What became of an upload: the file as it is kept, or ``reason`` why it is not."""

    upload: Upload
    file: Enclosure | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CardFile:
    """A file in a card's folder; ``removed_at`` is when its bytes were given up."""

    name: str
    media_type: str
    size: int
    sender: str
    at: datetime
    removed_at: datetime | None = None


class Uploads(Protocol):
    """Files that are to be fetched. All methods may be repeated."""

    async def want(self, uploads: Sequence[Upload]) -> None:
        """Store uploads, each under a name that is free in its folder; one that is there is left alone."""
        ...

    async def claim(
        self, kinds: Sequence[str], owner: str, lease: timedelta, limit: int
    ) -> Sequence[Upload]:
        """Lease uploads from these platforms that are due, the oldest first.

        ``owner`` is ``NAME LIFE``: a lease that the same name took in an earlier life is void.
        """
        ...

    async def postpone(self, upload: Upload, wait: timedelta, reason: str) -> None:
        """Give an upload back to be tried again after ``wait``."""
        ...

    async def settle(self, arrival: Arrival) -> None:
        """End an upload; how to fetch it is forgotten. One that has ended stays as it is."""
        ...


class Arrivals(Protocol):
    """Files that were fetched, or refused."""

    async def untold(self, gather: timedelta, patience: timedelta) -> Sequence[Sequence[Arrival]]:
        """Return what nobody was told of, in groups: by sender, place and reader, in the order of sending.

        A group waits until ``gather`` after its newest file was sent, and ``patience`` for those that are still
        to be fetched.
        """
        ...

    async def tell(self, arrivals: Sequence[Arrival], letters: Sequence[Letter]) -> None:
        """Store what is said of arrivals and that it was said, in one transaction; once."""
        ...

    async def expire(self, age: timedelta) -> Sequence[str]:
        """Give up the bytes of files that were kept so long; return the folders and names of all given up lately.

        A card's files are kept while it is there and not archived, however long; bytes that went with a
        message of ours are given up too. What is returned reads ``FOLDER/NAME``.
        """
        ...


class CardFiles(Protocol):
    """What lies in cards' folders."""

    async def of_card(self, card_id: str) -> Sequence[CardFile]:
        """Return a card's files, oldest first; those too whose bytes were given up."""
        ...

    async def enclosed(self, card_id: str) -> Sequence[Enclosure]:
        """Return a card's files that are kept, to go with a message."""
        ...
