"""The board: who looks at it sees at once what goes on and what stands still."""

from typing import Annotated, Any

from pydantic import Field

from bot.backlog.cards import CardStatus
from bot.backlog.overview import Glance, Lane, LaneKind, state_of
from bot.backlog.ports import Overview
from bot.command.declare import EVERYONE, Call, Help, command, topic
from bot.reply import Board, Column, Reply, Slip, Text
from bot.supervision.pause import Standing, nobody_paused, pause_line
from commands.card_pages import card_data, token_for

_MOST_LANES = 24
_NAMED = 3
_WITHOUT_PHASE = "no phase"

PerLane = Annotated[int, Field(ge=1, le=200), Help("how many cards of a lane are shown")]


@topic("", also=("backlog", "fleet backlog"))
class BoardCommands:
    """The board, also under the backlog's name."""

    def __init__(self, overview: Overview, standing: Standing = nobody_paused) -> None:
        self._overview = overview
        self._standing = standing

    @command("board", roles=EVERYONE)
    async def board(
        self,
        call: Call,
        *,
        by: Annotated[LaneKind, Help("what makes a lane")] = LaneKind.STATUS,
        limit: PerLane = 8,
    ) -> Reply:
        """Show the backlog as a board.

        A ready card whose dependencies are open stands in the lane `waiting`, with what it waits for.
        """
        lanes = list(await self._overview.lanes(by, limit))
        data = {"by": by.value, "lanes": [_lane_data(lane, call) for lane in lanes]}
        head = pause_line(await self._standing())
        if not lanes:
            return Reply(data, (*head, Text("The backlog is empty.")))
        board = Board(tuple(_column(lane) for lane in lanes[:_MOST_LANES]))
        if len(lanes) <= _MOST_LANES:
            return Reply(data, (*head, board))
        left_out = Text(f"{len(lanes) - _MOST_LANES} more lanes are left out.")
        return Reply(data, (*head, board, left_out))


def _lane_data(lane: Lane, call: Call) -> dict[str, Any]:
    cards = [
        {
            **card_data(one.card, token_for(call.caller, one.card)),
            "waits_for": list(one.waits_for),
            "blocked_by": list(one.blocked_by),
        }
        for one in lane.cards
    ]
    return {"name": lane.name, "total": lane.total, "cards": cards}


def _column(lane: Lane) -> Column:
    slips = tuple(
        Slip(one.card.id, one.card.title, state_of(one.card), _note(one)) for one in lane.cards
    )
    return Column(lane.name or _WITHOUT_PHASE, lane.total, slips)


def _note(glance: Glance) -> str:
    """Return what a person should know of how a card stands."""
    card = glance.card
    waits = f"waits for {_listed(glance)}" if glance.waits_for else ""
    match card.status:
        case CardStatus.CLAIMED:
            return f"held by {card.claim_owner}"
        case CardStatus.BLOCKED:
            reason = f"blocked: {card.block_reason}" if card.block_reason else "blocked"
            return f"{reason}; {waits}" if waits else reason
        case CardStatus.DONE:
            return ""
    return waits


def _listed(glance: Glance) -> str:
    """Name what a card waits for, the blocked ones first: they stand still until a person acts."""
    free = [card_id for card_id in glance.waits_for if card_id not in glance.blocked_by]
    ids = [*(f"{card_id} ⊘" for card_id in glance.blocked_by), *free]
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
