"""What the supervisor says to an agent: a card's prompt, the question after a turn left it open, a request for a plan."""

import json
import re

from bot.backlog.cards import BacklogStats, Card
from bot.backlog.checklist import read_checklist

CARD_TAG, REPLAN_TAG = "card", "replan"
_TOKEN = re.compile(r"--token [0-9a-f]+")


def without_token(text: str) -> str:
    """Return a prompt as others than its agent may read it: whoever has the token can end the claim."""
    return _TOKEN.sub("--token (hidden)", text)


def card_prompt(card: Card, token: str) -> str:
    """Return the whole task, with the commands that end it; the line with ``complete`` stands there once."""
    about = [f"priority {card.priority}", f"attempt {card.attempts}"]
    if card.phase:
        about.insert(0, f"phase {card.phase}")
    lines = [f"Card {card.id}: {card.title}", f"({' · '.join(about)})", ""]
    if card.body.strip():
        lines += [card.body.strip(), ""]
    lines += _acceptance(card)
    return "\n".join(
        (*lines, "This card is yours now. End it by one of these lines:", *_ends(card.id, token))
    )


def ask_prompt(card: Card, token: str) -> str:
    """Return the question after a turn that ended with the card still open."""
    return "\n".join(
        (
            f"Card {card.id} ({card.title}) is still yours and not completed, and your turn has ended.",
            "Go on with it now, or end it by one of these lines. If you end this turn too without one of them,",
            "the card goes back to the backlog.",
            *_ends(card.id, token),
        )
    )


def replan_prompt(stats: BacklogStats) -> str:
    """Return the request to those who plan, when nothing is left to hand out."""
    blocked = stats.counts.get("blocked", 0)
    more = f" {blocked} cards are blocked." if blocked else ""
    return "\n".join(
        (
            f"The backlog has no open card left: {stats.counts.get('done', 0)} are done.{more}",
            "If there is more to do, write it as cards (`mosaic backlog create`), with what they depend on and their",
            "acceptance. If there is nothing more to do, say so in a sentence. You are asked once.",
        )
    )


def _acceptance(card: Card) -> list[str]:
    listed = read_checklist(card.acceptance)
    if listed:
        return [
            "Acceptance:",
            *(f"{number}. {item.text}" for number, item in enumerate(listed, 1)),
            "",
        ]
    if card.acceptance in (None, "", [], {}):
        return []
    return ["Acceptance:", json.dumps(card.acceptance, ensure_ascii=False), ""]


def _ends(card_id: str, token: str) -> tuple[str, ...]:
    return (
        "* when it is done:",
        f"  mosaic backlog complete --id {card_id} --token {token}",
        "* when you cannot go on and somebody else may:",
        f"  mosaic backlog release {card_id} --token {token}",
        "* when it waits for something that a person must do:",
        f'  mosaic backlog block --id {card_id} --reason "..."',
    )
