"""What agents are told, for people who want to read it."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from bot.agents.briefs import Briefs, Piece
from bot.command.declare import EVERYONE, MEMBERS, Call, Help, Names, Subject, command, topic
from bot.reply import Block, Markdown, Reply, Table, Text
from commands.agent_words import AgentName

Role = Annotated[
    str,
    Field(min_length=1, max_length=64),
    Names(Subject.AGENT),
    Help("an agent's name or alias"),
]
Host = Annotated[str, Field(min_length=1, max_length=255), Help("the host where it runs")]


@topic("fleet")
class BriefCommands:
    """Prompts and their comms block (spec 3-contracts, Fleet and agents)."""

    def __init__(self, briefs: Briefs) -> None:
        self._briefs = briefs

    @command("comms-block", roles=EVERYONE)
    async def comms_block(self, call: Call, role: Role, *, host: Host | None = None) -> Reply:
        """Show what one agent is told about its peers and how to reach them."""
        text = self._briefs.comms_block(role, host)
        return Reply({"role": role, "text": text}, (Markdown(text),))

    @command("prompt", roles=MEMBERS)
    async def prompt(self, call: Call, name: AgentName) -> Reply:
        """Show what one agent is told at every start, piece by piece, and about how many tokens each has."""
        pieces = self._briefs.prompt(name)
        blocks: list[Block] = [_sizes(pieces)]
        for piece in pieces:
            blocks += [Text(f"{piece.about}, from {piece.source}"), Markdown(piece.text)]
        data = {
            "name": name,
            "tokens": sum(piece.tokens for piece in pieces),
            "pieces": [
                {
                    "about": piece.about,
                    "source": piece.source,
                    "tokens": piece.tokens,
                    "text": piece.text,
                }
                for piece in pieces
            ],
        }
        return Reply(data, tuple(blocks))


def _sizes(pieces: Sequence[Piece]) -> Table:
    whole = (
        "all",
        "",
        sum(piece.tokens for piece in pieces),
        sum(len(piece.text) for piece in pieces),
    )
    each = [(piece.about, piece.source, piece.tokens, len(piece.text)) for piece in pieces]
    rows = tuple(
        (about, source, f"~{tokens}", str(size)) for about, source, tokens, size in (*each, whole)
    )
    return Table(("piece", "from", "tokens", "characters"), rows)
