"""What people were asked, as it stands: offers below a message, and commands that wait for a yes."""

from dataclasses import dataclass

from bot.model import Address
from bot.reply import Offer


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer as it stands: on which message of ours, in which place.

    ``taken`` says that one of that message's offers was chosen, ``expired`` that its time is over.
    """

    message_id: str
    to: Address
    offer: Offer
    taken: bool = False
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Yes:
    """A yes to a destructive command: to what was shown under ``preview_id``, without one to whatever it does."""

    preview_id: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A destructive command that waited for a yes; ``expired`` says that the yes came too late.

    ``preview_id`` names what was shown with the question: the yes is to that, and to nothing else.
    """

    line: str
    expired: bool
    preview_id: str | None = None
