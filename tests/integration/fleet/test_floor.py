"""Agents that end are started again, on a real tmux server; a floor that cannot be kept is told once."""

import json
import os
import signal
from datetime import UTC, datetime, timedelta

from fleet.health.starts import COUNTS_FOR
from fleet.watch.floor import Floor
from tests.stages.host import DOGFOOD, Stage, ready
from tests.waiting import until

ENHANCER = "{name: enhancer, class: enhancer, runtime: dogfood}"
CODER = "{name: coder0, class: code, runtime: dogfood}"


class Watch:
    """A floor that looks when it is told to; ``said`` is what people hear."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.said: list[str] = []
        self.later = timedelta()
        self.floor = self.new_floor()

    def new_floor(self) -> Floor:
        return Floor(self.stage.fleet, self.said.append, lambda: datetime.now(UTC) + self.later)

    async def look(self) -> None:
        self.floor.see(await self.stage.fleet.doors())
        await self.floor.keep()

    async def running(self) -> set[str]:
        return {door.agent.name for door in await self.stage.fleet.doors()}

    async def kill(self, name: str) -> None:
        door = await self.stage.fleet.door(name)
        os.kill(door.pane.pid, signal.SIGKILL)

        async def gone() -> bool:
            return name not in await self.running()

        await until(gone, what=f"{name} to be gone")

    def age_starts(self, name: str, seconds: float) -> None:
        """Let time pass for what is counted of an agent."""
        path = self.stage.fleet.places.starts_file(name)
        starts = json.loads(path.read_text())["starts"]
        path.write_text(json.dumps({"starts": [at - seconds for at in starts]}))

    def starts(self, name: str) -> int:
        return len(json.loads(self.stage.fleet.places.starts_file(name).read_text())["starts"])


async def test_whoever_ended_is_started_again_and_the_floor_first(stage: Stage) -> None:
    await stage.open(CODER, ENHANCER, DOGFOOD)
    watch = Watch(stage)
    before = {door.agent.name: door.pane for door in await stage.fleet.doors()}
    for name in before:
        await watch.kill(name)
    await watch.look()
    after = {door.agent.name: door.pane for door in await stage.fleet.doors()}
    assert after.keys() == before.keys()
    assert all(after[name].pid != before[name].pid for name in before)
    numbers = {name: int(pane.id.removeprefix("%")) for name, pane in after.items()}
    assert max(numbers, key=numbers.__getitem__) == "coder0"
    await ready(stage, "coder0")
    await watch.look()
    assert {door.pane.pid for door in await stage.fleet.doors()} == {p.pid for p in after.values()}
    assert watch.said == []


async def test_without_a_new_look_nothing_is_done(stage: Stage) -> None:
    await stage.open(DOGFOOD, ENHANCER)
    watch = Watch(stage)
    await watch.look()
    await watch.kill("orchestrator")
    await watch.floor.keep()
    assert await watch.running() == {"enhancer"}


async def test_who_ends_at_once_is_begun_ever_more_rarely_and_people_are_told_once(
    stage: Stage,
) -> None:
    await stage.open(DOGFOOD, ENHANCER)
    watch = Watch(stage)
    for number in range(1, 7):
        await watch.kill("orchestrator")
        await watch.look()
        if number > 3:
            assert await watch.running() == {"enhancer"}, "the fourth must wait"
            watch.age_starts("orchestrator", 30)
            await watch.look()
        assert "orchestrator" in await watch.running()
        assert watch.starts("orchestrator") == number
    assert len(watch.said) == 1
    assert watch.said[0].startswith(
        "orchestrator (orchestrator) cannot be kept alive: crash loop: 5 starts since "
    )
    watch.floor = watch.new_floor()  # the daemon's restart
    await watch.kill("orchestrator")
    await watch.look()
    assert len(watch.said) == 1
    (record, _) = await stage.fleet.observe()
    assert (record.readiness, record.evidence[:10]) == ("stuck", "crash loop")

    watch.age_starts("orchestrator", COUNTS_FOR.total_seconds())
    await watch.look()
    await watch.look()
    assert len(watch.said) == 1, "it runs, but not for long"
    watch.later = COUNTS_FOR + timedelta(seconds=1)
    for _ in range(2):
        await watch.look()
    assert len(watch.said) == 2
    assert watch.said[1].startswith("orchestrator is well again: it runs since ")


async def test_a_start_that_is_refused_is_told_once_and_tried_again_rarely(stage: Stage) -> None:
    place = stage.home.parent / "place"
    place.mkdir()
    lead = DOGFOOD.replace("}", f", working_directory: {place}}}")
    await stage.open(lead, ENHANCER)
    watch = Watch(stage)
    await watch.kill("orchestrator")
    place.rmdir()
    await watch.look()
    reason = f"orchestrator: working_directory {place} is not a directory"
    assert watch.floor.refusals == [reason]
    assert [said for said in watch.said if reason in said] == watch.said
    assert len(watch.said) == 1
    place.mkdir()
    await watch.look()
    assert "orchestrator" not in await watch.running()
    watch.later = timedelta(seconds=31)
    await watch.look()
    await watch.look()
    assert "orchestrator" in await watch.running()
    assert (watch.floor.refusals, len(watch.said)) == ([], 1)


async def test_a_coder_that_cannot_be_kept_alive_is_nobody_elses_trouble(stage: Stage) -> None:
    broken = "{name: coder0, class: code, runtime: dogfood, command: no-such-program}"
    await stage.open(broken, DOGFOOD, ENHANCER)
    watch = Watch(stage)

    async def ended() -> bool:
        return "coder0" not in await watch.running()

    for _ in range(8):
        await until(ended)
        await watch.look()
        watch.age_starts("coder0", 60)
    await until(ended)
    (record, *_) = await stage.fleet.observe()
    assert record.evidence.startswith("crash loop: ")
    assert watch.said == []


async def test_who_was_stopped_stays_stopped_and_ends_the_episode(stage: Stage) -> None:
    fleet = await stage.open(DOGFOOD, ENHANCER)
    watch = Watch(stage)
    (record,) = await fleet.stop("orchestrator")
    assert (record.readiness, record.evidence) == ("dead", "stopped by a person")
    await watch.look()
    await watch.floor.start_all()
    assert await watch.running() == {"enhancer"}
    assert watch.said == []
    stage.fleet = fleet = stage.new_fleet()
    fleet.reload()
    watch.floor = watch.new_floor()
    await watch.floor.start_all()
    assert await watch.running() == {"enhancer"}
    await fleet.start("orchestrator")
    await watch.kill("orchestrator")
    await watch.look()
    assert await watch.running() == {"orchestrator", "enhancer"}


async def test_a_mark_goes_with_the_agent_and_with_the_fleet(stage: Stage) -> None:
    fleet = await stage.open(DOGFOOD, ENHANCER, CODER)
    await fleet.stop(None)
    stage.write_roster(DOGFOOD, ENHANCER)
    fleet.reload()
    marks = fleet.places.heartbeat_directory
    assert sorted(path.stem for path in marks.glob("*.stopped")) == ["enhancer", "orchestrator"]
    await fleet.shutdown()
    assert list(marks.glob("*.stopped")) == []


async def test_a_roster_without_an_enhancer_is_told_once_and_once_when_it_has_one(
    stage: Stage,
) -> None:
    await stage.open(DOGFOOD, CODER)
    watch = Watch(stage)
    for _ in range(2):
        await watch.look()
    watch.floor = watch.new_floor()
    await watch.look()
    (said,) = watch.said
    assert "the roster has no agent of class enhancer" in said
    stage.write_roster(DOGFOOD, CODER, ENHANCER)
    stage.fleet.reload()
    for _ in range(2):
        await watch.look()
    assert len(watch.said) == 2
    assert watch.said[1].endswith("the roster has an agent of class enhancer again.")


async def test_an_empty_roster_lacks_nobody(stage: Stage) -> None:
    await stage.open(DOGFOOD, ENHANCER)
    await stage.fleet.stop(None)
    text = stage.fleet.places.roster_file.read_text().split("agents:")[0] + "agents: []\n"
    stage.fleet.places.roster_file.write_text(text)
    stage.fleet.reload()
    watch = Watch(stage)
    await watch.look()
    assert watch.said == []


async def test_a_floor_that_the_roster_names_is_the_one_that_is_kept(stage: Stage) -> None:
    await stage.open(DOGFOOD, CODER)
    path = stage.fleet.places.roster_file
    path.write_text(f"floor: [code, ceo]\n{path.read_text()}")
    stage.fleet.reload()
    watch = Watch(stage)
    for name in ("orchestrator", "coder0"):
        await watch.kill(name)
    await watch.look()
    after = {door.agent.name: door.pane for door in await stage.fleet.doors()}
    numbers = {name: int(pane.id.removeprefix("%")) for name, pane in after.items()}
    assert max(numbers, key=numbers.__getitem__) == "orchestrator", "coder0 is the floor here"
    (said,) = watch.said
    assert said.endswith(
        " UTC the roster has no agent of class ceo: its part of the work is not done."
        " !fleet add NAME --class ceo --runtime RUNTIME adds one."
    )
