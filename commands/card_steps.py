"""What people may do next with a card, as buttons below what is said of it."""

from bot.backlog.cards import Card, CardStatus
from bot.reply import Offer, standing_offer

_CLAIM = ("🙋", "claim --owner me --id", "claim it")
_COMPLETE = ("🏁", "complete --id", "complete it")
_BLOCK = ("🚧", "block --id", "hold it back")
_UNBLOCK = ("🔓", "unblock --id", "make it ready")
_ARCHIVE = ("🗄", "archive", "put it away")

_STEPS = {
    CardStatus.READY: (_CLAIM, _BLOCK, _COMPLETE),
    CardStatus.CLAIMED: (_COMPLETE, _BLOCK),
    CardStatus.BLOCKED: (_UNBLOCK, _COMPLETE),
    CardStatus.DONE: (_ARCHIVE,),
}
_ASKED_FURTHER = frozenset({_BLOCK[0]})
"""Steps of which a form asks for the rest, such as a reason."""


def card_steps(card: Card) -> tuple[Offer, ...]:
    """Return what may be done with a card as it stands; whether somebody may is decided when they press."""
    return tuple(
        standing_offer(f"backlog {words} {card.id}", says, mark, is_form=mark in _ASKED_FURTHER)
        for mark, words, says in _STEPS[card.status]
    )
