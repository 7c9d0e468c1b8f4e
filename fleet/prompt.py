"""What an agent is told at its start: its role's contract, the comms block, and a person's own words to it."""

from importlib.resources import files
from pathlib import Path

from bot.briefs import Piece
from bot.places import Places
from fleet.comms import comms_block
from fleet.roster import Agent, Roster

_GENERAL = "general"


def prompt_pieces(roster: Roster, agent: Agent, host: str, places: Places) -> tuple[Piece, ...]:
    """Return the pieces in their order.

    ``fleet/roles.local/CLASS.md`` wins over the contract that ships with the package, and
    ``fleet/agents/NAME.local.md`` is added at the end, for this agent alone.
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
    own = places.local_roles_directory / f"{agent_class}.md"
    text = _read(own)
    if text is not None:
        return Piece("role", str(own), text)
    shipped = files("fleet.roles")
    for name in (agent_class, _GENERAL):
        found = shipped / f"{name}.md"
        if found.is_file():
            return Piece("role", f"fleet/roles/{name}.md", found.read_text(encoding="utf-8"))
    raise AssertionError(f"the package lacks {_GENERAL}.md")


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
