"""What people ask of the backlog: why a card stands where it does, and what holds up most."""

from dataclasses import dataclass
from datetime import datetime

from bot.backlog.cards import Card, CardStatus


@dataclass(frozen=True, slots=True)
class Situation:
    """A card with all that explains where it stands.

    ``waits_for`` are its dependencies that are not done, ``roots`` the cards at the ends of all those
    chains: they wait for nothing themselves, and everything above waits for them. ``ahead`` counts the
    claimable cards that go before it, ``since`` and ``who`` tell of its last change of status.
    """

    card: Card
    waits_for: tuple[Card, ...]
    roots: tuple[Card, ...]
    ahead: int
    since: datetime | None
    who: str | None


def reasons(situation: Situation) -> tuple[str, ...]:
    """Return, in a sentence each, why a card is not ready, or when its turn comes."""
    card = situation.card
    said = [_standing(situation)]
    said += [f"It waits for {_named(needed)}." for needed in situation.waits_for]
    direct = {needed.id for needed in situation.waits_for}
    far = [root for root in situation.roots if root.id not in direct]
    if far:
        said.append(f"In the end all of that waits for {', '.join(map(_named, far))}.")
    for name, value in (("class", card.agent_class), ("agent", card.agent), ("host", card.host)):
        if value is not None and card.status is CardStatus.READY:
            said.append(f"Only {name} {value} is given it.")
    return tuple(sentence for sentence in said if sentence)


def _standing(situation: Situation) -> str:
    card = situation.card
    since = "" if situation.since is None else f" since {_at(situation.since)}"
    match card.status:
        case CardStatus.DONE:
            away = ", and archived" if card.archived else ""
            return f"{card.id} is done{since}{away}."
        case CardStatus.CLAIMED:
            return f"{card.id} is claimed by {card.claim_owner} until {_at(card.claim_expires_at)}."
        case CardStatus.BLOCKED:
            why = f": {card.block_reason}" if card.block_reason else ""
            return f"{card.id} is blocked{since} by {situation.who or 'somebody'}{why}."
    if situation.waits_for:
        return f"{card.id} is not ready: {card.unmet_deps} of its dependencies are open."
    before = "nothing goes" if situation.ahead == 0 else f"{situation.ahead} others go"
    return f"{card.id} is ready, and {before} before it."


def _named(card: Card) -> str:
    match card.status:
        case CardStatus.CLAIMED:
            state = f"claimed by {card.claim_owner}"
        case CardStatus.BLOCKED:
            state = f"blocked: {card.block_reason}" if card.block_reason else "blocked"
        case _:
            state = f"waits for {card.unmet_deps} itself" if card.unmet_deps else card.status.value
    return f"{card.id} ({state})"


def _at(moment: datetime | None) -> str:
    return "?" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
