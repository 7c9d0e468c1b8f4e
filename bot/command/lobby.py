"""What a face with choices asks before somebody says something: who may, and what could be meant.

Nothing of it runs a command, writes, or is noted; what people then choose goes the one way in, and is judged there.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.command.catalog import Catalog, Command
from bot.command.declare import Subject
from bot.command.grammar import Parameter
from bot.command.words import split_line
from bot.model import Address, Decision, Inbound, Principal, Via
from bot.policy import Policy
from bot.ports import Offers

MOST = 25
"""Suggestions at a time: what any platform shows."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What may be meant: ``value`` is what is said then, ``label`` what people read."""

    value: str
    label: str


Source = Callable[[str, str], Awaitable[Sequence[Suggestion]]]
"""Returns what a command (by its name) may be given that is called like what was begun, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Whether somebody may, and whether the answer is for them alone: a private command's is, and a refusal."""

    decision: Decision
    is_private: bool


class Lobby:
    """Answers for one daemon; ``sources`` know what there is of each subject."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        policy: Callable[[], Policy],
        offers: Offers,
        sources: Mapping[Subject, Source],
    ) -> None:
        self._catalog = catalog
        self._policy = policy
        self._offers = offers
        self._sources = sources

    @property
    def commands(self) -> Sequence[Command]:
        """Every command, in the order of their declaration."""
        return tuple(self._catalog().commands.values())

    def takes(self, place: Address) -> bool:
        """Return whether commands are taken in a place."""
        return self._policy().takes(place.lane, Via.CHAT)

    def leave(self, principal: Principal, command: Command, place: Address) -> Leave:
        """Return whether somebody may run a command there."""
        decision = self._policy().authorize(principal, command.name, place.lane, Via.CHAT)
        return Leave(decision, command.private or not decision.allowed)

    def find(self, line: str) -> tuple[Command, dict[str, Any]]:
        """Return the command that a line begins, and what it gives it already; UserError when there is none."""
        words = split_line(line)
        command, length = self._catalog().find([word.text for word in words[:4]])
        return command, command.grammar.sort_line(line, words[length:])

    async def leave_to_choose(self, reaction: Inbound) -> Leave | None:
        """Return whether somebody may choose what a mark means, None when it means nothing.

        Raises TransientError when the database is away.
        """
        offered = await self._offers.find(reaction)
        if offered is None:
            return None
        command, _ = self.find(offered.offer.line)
        asked = self._policy().may_choose(
            reaction.sender, offered.offer.chooser, personal=command.personal
        )
        leave = self.leave(reaction.sender, command, reaction.source)
        return leave if asked.allowed else Leave(asked, is_private=True)

    async def suggest(
        self,
        principal: Principal,
        place: Address,
        command: Command,
        parameter: Parameter,
        begun: str,
    ) -> Sequence[Suggestion]:
        """Return what an argument may be; nothing for who may not run the command there."""
        source = None if parameter.names is None else self._sources.get(parameter.names)
        if source is None or not self.leave(principal, command, place).decision.allowed:
            return ()
        before, comma, last = _list_before(command, parameter, begun)
        found = await source(command.name, last.strip())
        return [
            Suggestion(before + comma + one.value, f"{before}{comma}{one.label}")
            for one in found[:MOST]
        ]


def _list_before(command: Command, parameter: Parameter, begun: str) -> tuple[str, str, str]:
    """Take what stands in a list already off what is being written."""
    schema = command.schema["properties"][parameter.name]
    arms = [schema, *schema.get("anyOf", ())]
    is_list = any(arm.get("type") == "array" for arm in arms)
    return begun.rpartition(",") if is_list else ("", "", begun)
