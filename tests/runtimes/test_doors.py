"""opencode's hatch in the real program: what is handed over there, and what becomes of a person's draft."""

import asyncio
import contextlib
import json
import os
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import TransientError, UserError
from bot.model import Delivery, Queueing, Receipt, ReceiptState, SendResult
from fleet.delivery.carrier import AgentCarrier
from fleet.delivery.keyboard import Patience
from fleet.host import processes
from fleet.turns.events import read_events
from tests.stages.host import QUICK, Stage
from tests.stages.model_stand_in import ModelStandIn
from tests.stages.programs import agent_with_home
from tests.stages.watch import COUNTS, START_SECONDS, Watch
from tests.waiting import until

pytestmark = pytest.mark.runtimes

NAME = "opencode"
DRAFT = "half a thought"
ROUNDS = 10
SHORT = Patience(prompt=timedelta(seconds=2), first_enter=timedelta(seconds=2))


@dataclass
class House:
    """One opencode, and what was sent to it."""

    stage: Stage
    model: ModelStandIn
    watch: Watch
    counts: Counter[str]
    sent: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.stage.fleet.places.launch_directory(NAME) / "hatch"

    async def send(
        self, body: str, patience: Patience = SHORT, queueing: Queueing = Queueing.WHEN_IDLE
    ) -> SendResult:
        delivery = self.stage.mail(NAME, body, queueing=queueing)
        self.sent.append(delivery.outbound.message_id)
        carrier = AgentCarrier(self.stage.fleet, self.stage.pauses, patience)
        result = await carrier.carry(delivery, self.stage.letters.record)
        self.counts[f"{result.state} by {result.by} by way of {result.evidence.get('way')}"] += 1
        return result

    async def take(self, body: str, way: str) -> float:
        """Send to the idle program and return how many seconds it took."""
        await self.watch.until_available(NAME)
        begun = time.monotonic()
        result = await self.send(body)
        seconds = time.monotonic() - begun
        said = (result.state, result.evidence.get("way"))
        assert said == (ReceiptState.ACCEPTED, way), (result, await self.stage.rows(NAME))
        await self.reached(self.sent[-1])
        return seconds

    async def reached(self, message_id: str) -> None:
        mark = f"[end {message_id}]"
        await until(
            lambda: any(mark in text for text in self.model.texts()), START_SECONDS, message_id
        )

    async def shows(self, text: str, within: float = START_SECONDS) -> None:
        async def shown() -> bool:
            return text in await self.stage.rows(NAME)

        await until(shown, within, text)

    async def draft(self) -> None:
        await self.stage.press(NAME, "-l", DRAFT)
        await self.shows(DRAFT)

    async def erase(self) -> None:
        await self.stage.press(NAME, "-N", str(len(DRAFT)), "BSpace")

    async def command(self, words: str, then: str) -> None:
        """Give a command of its own, pressing Enter again where one was swallowed."""
        await self.stage.press(NAME, "-l", words)
        await self.shows(words)

        for patience in (2.0, 2.0, START_SECONDS):
            await self.stage.press(NAME, "Enter")
            with contextlib.suppress(AssertionError):
                await self.shows(then, patience)
                return
        raise AssertionError(await self.stage.rows(NAME))

    def count(self, message_id: str) -> int:
        """Return how often one message stands in what the model was asked."""
        mark = f"[end {message_id}]"
        return max((text.count(mark) for text in self.model.texts()), default=0)

    def submissions(self) -> Counter[str]:
        events = read_events(self.stage.fleet.places.events_file(NAME), 0).events
        return Counter(id_ for one in events if one.event == "submitted" for id_ in one.message_ids)

    def assert_nothing_twice(self) -> None:
        assert [one for one, count in self.submissions().items() if count > 1] == []
        assert [one for one in self.sent if self.count(one) > 1] == []


@pytest.fixture
async def house(
    request: pytest.FixtureRequest, stage: Stage, model: ModelStandIn, work: Path
) -> House:
    """opencode with one conversation: the first message begins it and is typed."""
    person = work.parent / "person"
    line = agent_with_home(NAME, person, work, model.url)
    own = person / "own.js"
    own.write_text(
        'import { writeFileSync } from "node:fs";\n'
        f"const mark = {json.dumps(str(person / 'own-loaded'))};\n"
        'export default { id: "own", tui: async () => writeFileSync(mark, "") };\n'
    )
    screens = {"plugin": [own.as_uri()]}
    (person / ".config" / "opencode" / "tui.json").write_text(json.dumps(screens))
    await stage.open(line)
    counts = request.config.stash[COUNTS].setdefault("opencode hatch", Counter())
    house = House(stage, model, Watch(stage), counts)
    await until((house.folder / "ready").exists, START_SECONDS, "the hatch")
    await until((person / "own-loaded").exists, START_SECONDS, "a person's own plugin")
    await house.take("begin", "keyboard")
    await until(lambda: "turn_ended" in stage.events(NAME), START_SECONDS, "the first turn's end")
    return house


async def test_an_idle_program_takes_it_at_once(house: House) -> None:
    by_hatch = [await house.take(f"idle {number}", "plugin") for number in range(ROUNDS)]
    (house.folder / "ready").rename(house.folder / ".ready")
    by_keys = [await house.take(f"typed {number}", "keyboard") for number in range(ROUNDS)]
    for way, seconds in (("hatch", by_hatch), ("keyboard", by_keys)):
        middle, worst = statistics.median(seconds) * 1000, max(seconds) * 1000
        house.counts[f"{way}: {middle:.0f} ms in the middle, {worst:.0f} ms at worst"] = ROUNDS
    assert statistics.median(by_hatch) < statistics.median(by_keys)
    house.assert_nothing_twice()


async def test_a_draft_survives_idle_and_busy(house: House) -> None:
    await house.watch.until_available(NAME)
    await house.draft()
    assert (await house.send("beside a draft")).evidence["way"] == "plugin"
    await house.reached(house.sent[-1])
    await house.shows("beside a draft")
    assert DRAFT in await house.stage.rows(NAME)
    house.model.answers.clear()
    try:
        # The turn before may be about to end: mail for now goes in either way.
        assert (await house.send("a long task", queueing=Queueing.NOW)).by == "submitted"
        await house.reached(house.sent[-1])
        await house.shows("esc interrupt")
        with pytest.raises(TransientError, match="it is busy"):
            await house.send("when you have time", QUICK)
        house.sent.pop()
        result = await house.send("by the way", queueing=Queueing.NOW)
        assert (result.by, result.evidence["way"]) == ("submitted", "plugin")
        assert DRAFT in await house.stage.rows(NAME)
    finally:
        house.model.answers.set()
    await house.reached(house.sent[-1])
    await house.shows("by the way")
    assert DRAFT in await house.stage.rows(NAME)
    await house.erase()
    await house.take("after the draft", "plugin")
    house.assert_nothing_twice()


async def test_an_open_dialog_and_an_empty_screen_close_the_hatch(house: House) -> None:
    await house.watch.until_available(NAME)
    await house.command("/models", "Select model")
    before = await house.stage.rows(NAME)
    delivery = house.stage.mail(NAME, "at a dialog")
    with pytest.raises(TransientError):
        await AgentCarrier(house.stage.fleet, house.stage.pauses, QUICK).carry(
            delivery, house.stage.letters.record
        )
    assert "typed" not in house.stage.letters.states(delivery.outbound.message_id)
    assert await house.stage.rows(NAME) == before
    await house.stage.press(NAME, "Escape")
    await house.take("after the dialog", "plugin")
    await house.watch.until_available(NAME)
    await house.command("/new", "Ask anything")
    await house.take("a new conversation", "keyboard")
    house.assert_nothing_twice()


async def test_a_program_killed_before_it_takes_a_message_never_gets_it(house: House) -> None:
    await house.watch.until_available(NAME)
    delivery = house.stage.mail(NAME, "to the dead")
    kill = await _weapon(house)

    async def record(receipt: Receipt) -> None:
        await house.stage.letters.record(receipt)
        if receipt.state is ReceiptState.TYPED:
            kill()

    with pytest.raises(UserError, match="is not running"):
        await AgentCarrier(house.stage.fleet, house.stage.pauses, SHORT).carry(delivery, record)
    assert house.count(delivery.outbound.message_id) == 0
    await _given_again_after_a_start(house, delivery)
    assert house.count(delivery.outbound.message_id) == 0


async def test_a_program_killed_when_it_has_taken_a_message_gets_it_at_most_once(
    house: House,
) -> None:
    await house.watch.until_available(NAME)
    delivery = house.stage.mail(NAME, "to the dying")
    kill, taken = await _weapon(house), house.folder / f"{delivery.outbound.message_id}.taken"

    async def kill_at_the_taking() -> None:
        while not taken.exists():  # noqa: ASYNC110 - it is there for a moment only
            await asyncio.sleep(0)
        kill()

    killer = asyncio.create_task(kill_at_the_taking())
    result = await house.stage.carry_on(delivery)
    await killer
    submitted = house.submissions()[delivery.outbound.message_id]
    assert (result.state, submitted) in {(ReceiptState.UNKNOWN, 0), (ReceiptState.ACCEPTED, 1)}
    house.counts[f"killed when it had taken it: {result.state}"] += 1
    await _given_again_after_a_start(house, delivery)


async def _weapon(house: House) -> Callable[[], None]:
    """Return what kills the program with everything below its pane."""
    door = await house.stage.fleet.door(NAME)

    def kill() -> None:
        for one in processes.descendants(door.pane.pid):
            os.kill(one.pid, signal.SIGKILL)

    return kill


async def _given_again_after_a_start(house: House, delivery: Delivery) -> None:
    """The message comes once more, as after a crash of the daemon: a fresh program must not see it."""
    asked = len(house.model.asked)
    await house.stage.fleet.start(NAME)
    await house.watch.until_available(NAME)
    again = Delivery(1, delivery.outbound, 2, delivery.first_tried_at, typed=True)
    await AgentCarrier(house.stage.fleet, house.stage.pauses, SHORT).carry(
        again, house.stage.letters.record
    )
    await house.take("are you back?", "keyboard")
    mark = f"[end {delivery.outbound.message_id}]"
    assert not any(mark in text for text in house.model.texts()[asked:])
    assert house.count(delivery.outbound.message_id) <= 1
    house.assert_nothing_twice()
