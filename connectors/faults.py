"""What every connector must survive, as tests: a new one brings a stage that misbehaves and inherits the rest.

    class TestMemoryFaults(FaultSuite):
        @pytest.fixture
        async def stage(self) -> AsyncIterator[FaultStage]: ...

Through each fault people go on speaking and we go on sending, in every place of the stage; afterwards nothing may
be missing, doubled or out of order. A fault that a platform cannot have is named with the reason, not left out. What
was seen goes into one table for all connectors (``FaultTable``).
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from bot.errors import TransientError
from bot.model import Address, InboundKind, OutboundMessage, ReceiptState
from connectors.stage import Ledger, Stage, eventually, listening, outbound

_ROUND = 3
"""How many texts are spoken and sent in each place in one go."""

_ROUNDS = 2
_LIVES = 3
_LONGEST_WAIT = 2.0


class Fault(StrEnum):
    """A way in which a line or a platform misbehaves."""

    ERROR_STORM = "500 storm"
    LIMIT_WITH_BODY = "429 with body"
    LIMIT_WITHOUT_BODY = "429 without body"
    CUT_AFTER_ACCEPT = "socket cut after accept"
    DUPLICATE = "duplicate delivery"
    RESTART = "restart mid-batch"
    REORDER = "reorder"
    SLOW = "slow server"
    SKEW = "clock skew"


class FaultStage(Stage, Protocol):
    """A stage whose platform, or whose line to it, can be made to misbehave.

    ``strike`` begins a fault, ``relent`` ends it; meanwhile people's own lines are sound. ``struck`` is how often it
    was done since then (a restart is the suite's own doing). ``impossible`` says of the faults that this platform
    cannot have why that is so. ``places`` are where people speak, at least one;
    ``speak_in`` returns the event's id, ``seen_in`` the texts of ours that stand there, oldest first.
    """

    @property
    def impossible(self) -> Mapping[Fault, str]: ...

    @property
    def struck(self) -> int: ...

    @property
    def places(self) -> Sequence[Address]: ...

    async def strike(self, fault: Fault) -> None: ...

    async def relent(self) -> None: ...

    async def speak_in(self, place: Address, text: str) -> str: ...

    async def seen_in(self, place: Address) -> Sequence[str]: ...


@dataclass(slots=True)
class Account:
    """What was said in one direction in one place, and what of it came to the other side, in that order."""

    given: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """How many texts never came."""
        return len(set(self.given) - set(self.taken))

    @property
    def doubled(self) -> int:
        """How many came more often than they were said."""
        return len(self.taken) - len(set(self.taken))

    @property
    def in_order(self) -> bool:
        """Whether what came kept its order."""
        first = list(dict.fromkeys(self.taken))
        return first == [text for text in self.given if text in set(first)]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault came to, over all places."""

    heard: Sequence[Account]
    shown: Sequence[Account]

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled or out of order."""
        accounts = (*self.heard, *self.shown)
        return all(one.in_order and not (one.lost or one.doubled) for one in accounts)

    def __str__(self) -> str:
        """Return the figures in one line."""
        accounts = (*self.heard, *self.shown)
        lost, doubled = sum(one.lost for one in accounts), sum(one.doubled for one in accounts)
        order = "in order" if all(one.in_order for one in accounts) else "OUT OF ORDER"
        count = [sum(len(one.given) for one in side) for side in (self.heard, self.shown)]
        return f"{count[0]} in, {count[1]} out: lost {lost}, doubled {doubled}, {order}"


class Course:
    """One conversation through a fault, in all places at once."""

    def __init__(self, stage: FaultStage) -> None:
        self._stage = stage
        self._ledger = Ledger()
        self._taken = asyncio.Event()
        self._heard = {place: Account() for place in stage.places}
        self._shown = {place: Account() for place in stage.places}
        self._waiting: dict[Address, deque[OutboundMessage]] = {p: deque() for p in stage.places}

    async def run(self, fault: Fault) -> Outcome:
        """Talk before, during and after a fault; return what came of it."""
        async with listening(self._stage, self._ledger):
            await self._talk("before")
            await self._settled()
        if fault is Fault.RESTART:
            await self._die_and_come_back()
        else:
            await self._suffer(fault)
        await self._speak("while nobody listens")
        async with listening(self._stage, self._ledger):
            await self._stage.relent()
            await self._talk("after")
            with contextlib.suppress(AssertionError):  # the account says what is missing
                await self._settled()
        return await self._account()

    async def _suffer(self, fault: Fault) -> None:
        async with listening(self._stage, self._ledger):
            await self._stage.strike(fault)
            for number in range(_ROUNDS):
                await self._talk(f"during {number}", together=fault is Fault.REORDER)
                with contextlib.suppress(AssertionError):
                    await self._settled()
        assert self._stage.struck, f"nothing suffered from {fault}"

    async def _die_and_come_back(self) -> None:
        """End in the middle of it all, again and again: a batch is half stored, and messages are under way."""
        for life in range(_LIVES):
            async with listening(self._stage, self._ledger):
                self._ledger.is_stuck, self._ledger.caught = True, False
                await self._speak(f"in life {life}")
                await eventually(self._has_caught)
                await self._send_some(f"in life {life}")
            self._ledger.is_stuck = False
            await self._stage.restart()

    async def _has_caught(self) -> bool:
        return self._ledger.caught

    async def _send_some(self, when: str) -> None:
        """Begin to send in every place, and stop as soon as the first messages were taken."""
        self._write(when)
        self._taken.clear()
        sending = [asyncio.create_task(self._send(place)) for place in self._waiting]
        await self._taken.wait()
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)

    async def _talk(self, when: str, *, together: bool = False) -> None:
        """Speak and send in every place at once; ``together`` begins to send before the earlier is taken."""
        self._write(when)
        send = self._send_together if together else self._send
        sending = [asyncio.create_task(send(place)) for place in self._waiting]
        await self._speak(when)
        await asyncio.gather(*sending)

    def _write(self, when: str) -> None:
        for index, (place, waiting) in enumerate(self._waiting.items()):
            for number in range(_ROUND):
                text = f"we said {when} {number} in {index}"
                waiting.append(replace(outbound(self._stage, text), to=place))
                self._shown[place].given.append(text)

    async def _speak(self, when: str) -> None:
        for number in range(_ROUND):
            for index, place in enumerate(self._stage.places):
                text = f"people said {when} {number} in {index}"
                await self._stage.speak_in(place, text)
                self._heard[place].given.append(text)

    async def _send(self, place: Address) -> None:
        """Send what waits for a place as the worker does: one after another, each until it is taken."""
        waiting = self._waiting[place]
        while waiting:
            try:
                result = await self._stage.connector.send(waiting[0])
            except TransientError as error:
                wait = error.retry_after.total_seconds() if error.retry_after else 0.05
                await asyncio.sleep(min(wait, _LONGEST_WAIT))
                continue
            assert result.state is ReceiptState.ACCEPTED
            waiting.popleft()
            self._taken.set()

    async def _send_together(self, place: Address) -> None:
        """Send all that waits for a place at once: the order of the calls is the connector's to keep."""
        waiting = self._waiting[place]
        results = await asyncio.gather(*(self._stage.connector.send(one) for one in waiting))
        assert {result.state for result in results} == {ReceiptState.ACCEPTED}
        waiting.clear()

    async def _settled(self) -> None:
        """Wait until both sides have all that was said."""

        async def complete() -> bool:
            outcome = await self._account()
            return not any(one.lost for one in (*outcome.heard, *outcome.shown))

        await eventually(complete)

    async def _account(self) -> Outcome:
        for place in self._stage.places:
            self._heard[place].taken = [
                event.text
                for event in self._ledger.events
                if event.source.lane == place.lane and event.kind is InboundKind.TEXT
            ]
            self._shown[place].taken = list(await self._stage.seen_in(place))
        return Outcome(list(self._heard.values()), list(self._shown.values()))


class FaultSuite:
    """Inherit, and give the fixtures ``stage`` and ``fault_table``."""

    async def test_a_storm_of_500s(self, stage: FaultStage, fault_table: "FaultTable") -> None:
        await survive(stage, Fault.ERROR_STORM, fault_table)

    async def test_429_that_says_how_long(
        self, stage: FaultStage, fault_table: "FaultTable"
    ) -> None:
        await survive(stage, Fault.LIMIT_WITH_BODY, fault_table)

    async def test_429_without_a_body(self, stage: FaultStage, fault_table: "FaultTable") -> None:
        await survive(stage, Fault.LIMIT_WITHOUT_BODY, fault_table)

    async def test_a_line_cut_after_it_was_taken(
        self, stage: FaultStage, fault_table: "FaultTable"
    ) -> None:
        await survive(stage, Fault.CUT_AFTER_ACCEPT, fault_table)

    async def test_all_comes_twice(self, stage: FaultStage, fault_table: "FaultTable") -> None:
        await survive(stage, Fault.DUPLICATE, fault_table)

    async def test_a_restart_in_the_middle_of_a_batch(
        self, stage: FaultStage, fault_table: "FaultTable"
    ) -> None:
        await survive(stage, Fault.RESTART, fault_table)

    async def test_things_overtake_each_other(
        self, stage: FaultStage, fault_table: "FaultTable"
    ) -> None:
        await survive(stage, Fault.REORDER, fault_table)

    async def test_a_slow_server(self, stage: FaultStage, fault_table: "FaultTable") -> None:
        await survive(stage, Fault.SLOW, fault_table)

    async def test_clocks_that_are_wrong(
        self, stage: FaultStage, fault_table: "FaultTable"
    ) -> None:
        await survive(stage, Fault.SKEW, fault_table)


async def survive(stage: FaultStage, fault: Fault, table: "FaultTable") -> None:
    """Go through a fault and write it down; AssertionError with the figures when not all is well."""
    kind = stage.place.kind
    if fault in stage.impossible:
        table.put(kind, fault, f"cannot happen: {stage.impossible[fault]}")
        return
    outcome = await Course(stage).run(fault)
    assert outcome.is_clean, f"{fault} on {kind}: {outcome}\n{outcome!r}"
    table.put(kind, fault, str(outcome))


class FaultTable:
    """What was seen, as the table in the pages."""

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str], str] = {}

    def put(self, kind: str, fault: str, seen: str) -> None:
        """Write a cell."""
        self.cells[kind, fault] = seen

    def markdown(self, kinds: Sequence[str]) -> str:
        """Return the table for these kinds, one row for each fault; KeyError when a cell is missing."""
        lines = [_row("fault", kinds), _row("---", ["---"] * len(kinds))]
        lines += [_row(fault, [self.cells[kind, fault] for kind in kinds]) for fault in Fault]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def read(cls, text: str) -> "FaultTable":
        """Return the table that stands in a page."""
        rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
        table = cls()
        for fault, *cells in rows[2:]:
            for kind, cell in zip(rows[0][1:], cells, strict=True):
                table.put(kind, fault, cell)
        return table


def _row(first: str, rest: Sequence[str]) -> str:
    return f"| {' | '.join((first, *rest))} |"
