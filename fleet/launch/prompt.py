"""What an agent is told at its start: its role's contract, its mission, the comms block, a person's own words."""

from collections.abc import Iterator
from pathlib import Path

from bot.agents.briefs import Piece
from bot.config.places import Places
from fleet.launch.comms import comms_block
from fleet.launch.mission import mission
from fleet.personas.persona import persona
from fleet.roster.document import Agent, Roster


def prompt_pieces(roster: Roster, agent: Agent, host: str, places: Places) -> tuple[Piece, ...]:
    """Return the pieces in their order; what is empty is left out.

    The role is the persona's contract (``fleet.personas.persona``), the mission what the roster's profile is for and
    the agent's place (``fleet.launch.mission``); when a person's own file is refused, the piece's source says why.
    Overlays are a person's own words, which come last and so win: to everybody, to a class, to this agent alone.
    """
    source, text = mission(roster, agent, places)
    pieces = (
        _contract(agent.agent_class, places),
        Piece("mission", source, text),
        Piece("comms", "roster", comms_block(roster, agent, host)),
        *_overlays(agent, places),
    )
    return tuple(piece for piece in pieces if piece.text.strip())


def compose(pieces: tuple[Piece, ...]) -> str:
    """Return the whole prompt."""
    return "\n\n".join(piece.text.strip() for piece in pieces) + "\n"


def _overlays(agent: Agent, places: Places) -> Iterator[Piece]:
    for path in (
        places.everyones_overlay_file,
        places.class_overlay_file(agent.agent_class),
        places.local_prompt_file(agent.name),
    ):
        yield Piece("overlay", str(path), _read(path) or "")


def _contract(agent_class: str, places: Places) -> Piece:
    found = persona(agent_class, places)
    told = found.source if found.refused is None else f"{found.source} ({found.refused})"
    return Piece("role", told, found.contract)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
