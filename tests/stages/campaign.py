"""One real agent program under a campaign of messages, and what is true of each: asked of the model and the program.

Every receipt is held against that truth. What is counted as wrong is counted here, and nothing is assumed.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import pytest

from bot.errors import TransientError, UserError
from bot.model import Delivery, ReceiptState, SendResult
from fleet.delivery.carrier import AgentCarrier, Record
from fleet.delivery.keyboard import Look, Patience, look_at
from fleet.host.local import Door
from fleet.turns.events import read_events
from tests.stages.host import QUICK, Stage
from tests.stages.model_stand_in import ModelStandIn
from tests.stages.watch import START_SECONDS, Watch
from tests.waiting import until

BY_KEYS = "opencode by keys"
"""opencode with a configuration of its screen that is a person's own: there is no hatch then."""

VERDICTS = pytest.StashKey[dict[str, Counter[str]]]()
"""What was wrong with the receipts of each program, to be shown when all tests are over."""


@dataclass
class Campaign:
    """One program under test, with every message that was sent to it."""

    stage: Stage
    model: ModelStandIn
    name: str
    watch: Watch
    work: Path
    counts: Counter[str]
    accepted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    drafts_lost: int = 0
    dialogs_answered: int = 0
    carriers: dict[Patience, AgentCarrier] = field(default_factory=dict)

    async def door(self) -> Door:
        return await self.stage.fleet.door(self.name)

    async def look(self) -> Look:
        return await look_at(await self.door())

    # -- sending ---------------------------------------------------------------------------------------

    async def send(
        self, kind: str, delivery: Delivery, patience: Patience, record: Record | None = None
    ) -> SendResult:
        """Try once, count what became of it, and keep its end for the comparison with the truth."""
        try:
            carrier = self.carrier(patience)
            result = await carrier.carry(delivery, record or self.stage.letters.record)
        except (TransientError, UserError) as error:
            if isinstance(error, UserError):
                self.failed.append(delivery.outbound.message_id)
            self.counts[f"{kind}: {'waits' if isinstance(error, TransientError) else 'fails'}"] += 1
            error.add_note(await self._last_screen())
            raise
        self.end(kind, delivery, result)
        return result

    def carrier(self, patience: Patience) -> AgentCarrier:
        """Return the one carrier of that patience, with what it remembers."""
        new = AgentCarrier(self.stage.fleet, self.stage.pauses, patience)
        return self.carriers.setdefault(patience, new)

    def end(self, kind: str, delivery: Delivery, result: SendResult) -> None:
        """Count a delivery's end."""
        self.counts[f"{kind}: {result.state} by {result.by}"] += 1
        if result.state is ReceiptState.ACCEPTED:
            self.accepted.append(delivery.outbound.message_id)

    async def take(self, kind: str, body: str, key: str) -> None:
        """Send to the idle program, which must take it: at once, or when it is looked for again."""
        await self.watch.until_available(self.name)
        delivery = self.stage.mail(self.name, body, key=key)
        try:
            result = await self.send(kind, delivery, Patience())
        except TransientError:
            if "typed" not in self.stage.letters.states(delivery.outbound.message_id):
                raise
            result = await self.carry_on(f"{kind}, looked for again", delivery, Patience())
        assert result.state is ReceiptState.ACCEPTED, (kind, result, await self.rows())
        await self.reached(delivery.outbound.message_id)

    async def refuse(self, kind: str, reason: str, key: str, **more: Any) -> None:
        """Send to the program that cannot take it now: it waits, and not one byte is typed."""
        delivery = self.stage.mail(self.name, "when you can", key=key, **more)
        with pytest.raises(TransientError, match=reason):
            await self.send(kind, delivery, QUICK)
        assert "typed" not in self.stage.letters.states(delivery.outbound.message_id)

    async def carry_on(self, kind: str, delivery: Delivery, patience: Patience) -> SendResult:
        """Look for a message that was typed, as the worker does, until its fate is known."""
        carrier, typed = self.carrier(patience), changed(delivery, typed=True)

        async def ended() -> SendResult | None:
            try:
                return await carrier.carry(typed, self.stage.letters.record)
            except TransientError:
                return None

        result = await until(ended, START_SECONDS, "its fate")
        assert result is not None
        self.end(kind, delivery, result)
        return result

    async def reached(self, message_id: str) -> None:
        """Wait until the model was asked with this message."""
        await until(
            lambda: self.reached_model(message_id), START_SECONDS, f"{message_id} at the model"
        )

    # -- the screen ------------------------------------------------------------------------------------

    async def rows(self) -> str:
        return await self.stage.rows(self.name)

    async def _last_screen(self) -> str:
        try:
            return await self.rows()
        except UserError as error:  # it has ended
            return error.message

    async def until(self, fact: Callable[[], Awaitable[bool]], what: str) -> None:
        """Wait for a fact; AssertionError shows the screen."""
        try:
            await until(fact, START_SECONDS, what)
        except AssertionError as error:
            error.add_note(await self._last_screen())
            raise

    async def lacks(self, text: str) -> bool:
        """Whether the screen does not show a text."""
        return not await self.shows(text)

    async def shows(self, text: str) -> bool:
        return text in await self.rows()

    async def tmux(self, *words: str) -> None:
        door = await self.door()
        await door.terminal.run(words[0], "-t", door.pane.id, *words[1:])

    async def has_hatch(self) -> bool:
        """Whether its program takes messages beside its keyboard."""
        door = await self.door()
        hatch = door.runtime.hatch
        return hatch is not None and (door.folder / hatch.folder / "ready").exists()

    # -- the truth -------------------------------------------------------------------------------------

    def reached_model(self, message_id: str) -> bool:
        """Whether the model was asked with this message."""
        return any(f"[end {message_id}]" in text for text in self.model.texts())

    def submissions(self) -> Counter[str]:
        """Return how often the program itself says that it was given each message."""
        events = read_events(self.stage.fleet.places.events_file(self.name), 0).events
        return Counter(id_ for one in events if one.event == "submitted" for id_ in one.message_ids)

    def asked_twice(self, message_id: str) -> bool:
        """Whether a conversation that the model was shown holds a message twice."""
        return any(text.count(f"| id {message_id}]") > 1 for text in self.model.texts())

    def verdict(self) -> Counter[str]:
        """Return how many receipts, drafts and dialogs were treated wrongly: every key is there, even with 0."""
        submissions = self.submissions()

        def known(message_id: str) -> bool:
            return self.reached_model(message_id) or message_id in submissions

        def twice(message_id: str) -> bool:
            return submissions[message_id] > 1 or self.asked_twice(message_id)

        return Counter(
            {
                "wrong accepted": sum(not self.reached_model(one) for one in self.accepted),
                "wrong failed": sum(known(one) for one in self.failed),
                "doubles": sum(twice(one) for one in self.stage.letters.messages),
                "dialogs answered": self.dialogs_answered,
                "drafts lost": self.drafts_lost,
                "texts run by a shell": len(list(self.work.glob("**/owned"))),
            }
        )
