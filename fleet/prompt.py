"""What an agent is told at its start: its role's contract, the comms block, and a person's own words to it."""

from pathlib import Path

from bot.briefs import Piece
from bot.places import Places
from fleet.comms import comms_block
from fleet.personas import persona
from fleet.roster import Agent, Roster


def prompt_pieces(roster: Roster, agent: Agent, host: str, places: Places) -> tuple[Piece, ...]:
    """Return the pieces in their order.

    The role is the persona's contract (``fleet.personas``); when a person's own file is refused, its source
    says why. ``fleet/agents/NAME.local.md`` is added at the end, for this agent alone.
    """
    overlay = places.local_prompt_file(agent.name)
    pieces = (
        _contract(agent.agent_class, places),
        Piece("comms", "roster", comms_block(roster, agent, host)),
        Piece("overlay", str(overlay), _read(overlay) or ""),
    )
    return tuple(piece for piece in pieces if piece.text.strip())


def compose(pieces: tuple[Piece, ...]) -> str:
    """Return the whole prompt."""
    return "\n\n".join(piece.text.strip() for piece in pieces) + "\n"


def _contract(agent_class: str, places: Places) -> Piece:
    found = persona(agent_class, places)
    told = found.source if found.refused is None else f"{found.source} ({found.refused})"
    return Piece("role", told, found.contract)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
