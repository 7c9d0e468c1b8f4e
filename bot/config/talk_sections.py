"""What a person can set of how people talk with the fleet: threads, and what is shown of work."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from bot.clock.pace import Pace
from bot.config.section import Seconds, Section


class Threads(Section):
    """What has a thread of its own, and what is said there."""

    conversations: bool = Field(default=True, strict=True)
    """Begin a thread with free text to an agent in a room; off, its answer stands in the room itself."""

    cards: Literal["created", "claimed", "off"] = "created"
    """When a card gets a thread of its own where the platform has them (Discord): as soon as it is created, once it is
    claimed, or never. Cards that come in a file get theirs with the claim."""

    news: bool = Field(default=True, strict=True)
    """Say in a card's thread what became of the card, unless it was asked for there."""

    mirror: Literal["off", "open", "all"] = "open"
    """Show in a card's thread what is said in its others: open, where both are encrypted or neither is; all; or off."""


class Progress(Section):
    """What people see while an agent works on their words, where the platform can edit what was said."""

    show: bool = Field(default=True, strict=True)
    """Show one message that says what the agent is at; it is edited until the turn ends."""

    after_seconds: Seconds = 5.0
    """How long a turn lasts before anything is shown of it."""

    between_seconds: Seconds = 3.0
    """The shortest time between two edits; in a long turn they come more and more rarely."""

    @property
    def pace(self) -> Pace:
        """When people are told."""
        return Pace(
            after=timedelta(seconds=self.after_seconds),
            between=timedelta(seconds=self.between_seconds),
        )
