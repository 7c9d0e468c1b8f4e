"""Agents started, adopted, seen and stopped on a real tmux server."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import SetupError, TransientError, UserError
from bot.model import agent_address
from fleet.host import processes
from fleet.part import FleetPart
from tests.stages.host import DOGFOOD, HOST, Stage, ready
from tests.waiting import until

ENHANCER = "{name: enhancer, class: enhancer, runtime: dogfood}"
BASH = "{name: shell, class: code, runtime: generic, command: 'bash --norc -i', env_from: [ANTHROPIC_API_KEY]}"


def environ(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def living(pids: Sequence[int]) -> list[int]:
    return [pid for pid in pids if processes.find(pid) is not None]


@asynccontextmanager
async def part(stage: Stage) -> AsyncIterator[list[str]]:
    said: list[str] = []
    task = asyncio.create_task(FleetPart(stage.fleet).run(said.append))
    await until(lambda: said or task.done())
    try:
        yield said
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_part_starts_the_roster_and_leaves_it_running_when_it_ends(stage: Stage) -> None:
    stage.write_roster(DOGFOOD, ENHANCER)
    async with part(stage) as said:
        assert said == [f"orchestrator, enhancer on tmux socket {stage.socket_name}"]
        await ready(stage, "orchestrator")
        await ready(stage, "enhancer")
    assert {record.readiness for record in await stage.fleet.observe()} == {"available"}


async def test_a_new_daemon_adopts_the_running_agents(stage: Stage) -> None:
    stage.write_roster(DOGFOOD)
    async with part(stage):
        await ready(stage)
        (before,) = await stage.fleet.observe()
    token = json.loads(stage.fleet.places.identity_file("orchestrator").read_text())["token"]
    stage.fleet = stage.new_fleet()
    async with part(stage):
        (after,) = await stage.fleet.observe()
        assert (after.pid, after.pane_id) == (before.pid, before.pane_id)
        assert await stage.fleet.agent_with(token) is not None


async def test_shutdown_leaves_no_process_socket_or_lock(stage: Stage) -> None:
    await stage.open(DOGFOOD, BASH)
    await ready(stage)
    await stage.send("orchestrator", "hello")
    await stage.type_line(
        "shell", "setsid sleep 1000 & (trap '' TERM HUP; sleep 1000) & echo started"
    )

    async def started() -> bool:
        return "\nstarted" in await stage.rows("shell")

    await until(started)
    door = await stage.fleet.door("shell")
    socket = Path((await door.terminal.run("display-message", "-p", "#{socket_path}")).strip())
    mark = f"MOSAIC_AGENT_FILE={stage.fleet.places.identity_file('shell')}"
    pids = [process.pid for process in processes.bearing(mark)]
    panes = [pane.pid for pane in await door.terminal.panes()]
    assert len(pids) >= 3
    assert await stage.fleet.shutdown() == []
    assert living([*pids, *panes]) == []
    assert not (await asyncio.to_thread(socket.exists))
    assert list(stage.fleet.places.heartbeat_directory.glob("*.lock")) == []


async def test_no_secret_reaches_an_agents_environment_or_a_command_line(stage: Stage) -> None:
    await stage.open(DOGFOOD, BASH)
    await ready(stage)
    door = await stage.fleet.door("shell")
    identity = json.loads(stage.fleet.places.identity_file("shell").read_text())
    for pane in await door.terminal.panes():
        for process in processes.descendants(pane.pid):
            shown = environ(process.pid) + command_line(process.pid)
            assert "s3cret-matrix" not in shown
            assert "s3cret-postgres" not in shown
            assert identity["token"] not in shown
            assert ("s3cret-provider" in shown) == (pane.session == "shell")
    shown = await door.terminal.run("show-environment", "-g")
    assert "s3cret" not in shown
    for path in (
        stage.fleet.places.environment_file("shell"),
        stage.fleet.places.identity_file("shell"),
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (identity["name"], identity["host"]) == ("shell", HOST)


async def test_an_agent_knows_who_it_is_and_can_run_mosaic(stage: Stage) -> None:
    await stage.open(BASH)
    (record,) = await stage.fleet.observe()
    assert record.pid is not None
    await until(lambda: "MOSAIC_AGENT_NAME=shell" in environ(record.pid or 0))
    values = dict(line.partition("=")[::2] for line in environ(record.pid).split("\0"))
    assert values["MOSAIC_HOME"] == str(stage.home)
    assert values["MOSAIC_AGENT_FILE"] == str(stage.fleet.places.identity_file("shell"))
    assert str(Path(sys.executable).parent) in values["PATH"].split(":")


async def test_a_process_below_a_pane_is_that_agent_and_others_are_nobody(stage: Stage) -> None:
    await stage.open(DOGFOOD, BASH)
    await stage.type_line("shell", "sleep 1000 & echo pid $!")

    async def shown() -> str:
        lines = (await stage.rows("shell")).splitlines()
        return next((line[4:] for line in lines if line.startswith("pid ")), "")

    pid = int(await until(shown))
    principal = await stage.fleet.agent_of(pid)
    assert principal is not None
    assert (principal.id, principal.name) == (f"agent:{HOST}/shell", "shell")
    assert await stage.fleet.agent_of(os.getpid()) is None


async def test_a_token_names_its_agent_until_it_stops(stage: Stage) -> None:
    await stage.open(DOGFOOD)
    token = json.loads(stage.fleet.places.identity_file("orchestrator").read_text())["token"]
    principal = await stage.fleet.agent_with(token)
    assert principal is not None
    assert principal.id == f"agent:{HOST}/orchestrator"
    assert await stage.fleet.agent_with("") is None
    assert await stage.fleet.agent_with("\udcff") is None, "bytes that are no text"
    assert await stage.fleet.agent_with("other") is None
    await stage.fleet.stop(None)
    assert await stage.fleet.agent_with(token) is None


async def test_a_killed_pane_is_dead_and_start_begins_it_anew(stage: Stage) -> None:
    await stage.open(DOGFOOD, ENHANCER)
    await ready(stage)
    (before, other) = await stage.fleet.observe()
    os.kill(before.pid or 0, 9)

    async def dead() -> bool:
        return (await stage.fleet.observe())[0].readiness == "dead"

    await until(dead)
    (record, _) = await stage.fleet.observe()
    assert (record.pid, record.session) == (None, "orchestrator")
    await stage.fleet.start(None)
    await ready(stage)
    (after, same) = await stage.fleet.observe()
    assert after.pid != before.pid
    assert same.pid == other.pid


async def test_sessions_that_the_roster_does_not_name_are_flagged_and_ours_left_out(
    stage: Stage,
) -> None:
    fleet = await stage.open(DOGFOOD)
    terminal = fleet.terminal()
    await terminal.run("new-session", "-d", "-s", "visitor", "--", "cat", "-")
    await terminal.new_session("mosaic-chat", ["cat"], role="chat")
    records = {record.name: record for record in await fleet.observe()}
    assert set(records) == {"orchestrator", "visitor"}
    assert records["visitor"].flags == ("UNMANAGED",)
    assert await fleet.shutdown() == ["visitor"]


async def test_a_persons_session_of_an_agents_name_is_neither_typed_into_nor_ended(
    stage: Stage,
) -> None:
    stage.write_roster(DOGFOOD)
    stage.fleet.reload()
    terminal = stage.fleet.terminal()
    await terminal.run("new-session", "-d", "-s", "orchestrator", "--", "cat", "-")
    with pytest.raises(UserError, match="is there already, and is not ours"):
        await stage.fleet.start(None)
    stage.fleet.opening = False
    with pytest.raises(UserError, match="is not running"):
        await stage.send("orchestrator", "hello")
    await stage.fleet.stop(None)
    assert await terminal.has_session("orchestrator")


async def test_a_bad_roster_is_refused_with_its_line_and_the_fleet_goes_on(stage: Stage) -> None:
    stage.write_roster(DOGFOOD)
    async with part(stage):
        await ready(stage)
    stage.write_roster("{name: orchestrator, class: orchestrator, runtime: dogfod}")
    stage.fleet = stage.new_fleet()
    with pytest.raises(SetupError, match=r"roster.yaml:4: .*'dogfod' is not allowed; allowed: "):
        await FleetPart(stage.fleet).run(lambda detail: None)
    assert stage.fleet.orchestrator() == agent_address(HOST, "orchestrator")
    await ready(stage)


async def test_a_changed_roster_is_taken_up_while_the_part_runs(stage: Stage) -> None:
    stage.write_roster(DOGFOOD)
    async with part(stage) as said:
        stage.write_roster(DOGFOOD, ENHANCER)
        await until(lambda: len(said) == 2)
        await ready(stage, "enhancer")


async def test_a_server_that_was_killed_is_noticed_and_the_next_run_starts_the_agents_anew(
    stage: Stage,
) -> None:
    stage.write_roster(DOGFOOD)
    task = asyncio.create_task(FleetPart(stage.fleet).run(lambda detail: None))
    await until(lambda: not stage.fleet.opening or task.done())
    await ready(stage)
    await stage.fleet.terminal().run("kill-server")
    with pytest.raises(TransientError, match="the tmux server went away"):
        await task
    async with part(stage):
        await ready(stage)


async def test_an_agent_that_cannot_start_is_named_and_the_others_run(stage: Stage) -> None:
    stage.write_roster(
        "{name: a, class: code, runtime: dogfood, working_directory: /nowhere}", DOGFOOD
    )
    async with part(stage) as said:
        assert "a: working_directory /nowhere is not a directory" in said[0]
        await ready(stage)


async def test_a_program_that_is_not_there_is_a_dead_agent_with_its_reason_on_the_screen(
    stage: Stage,
) -> None:
    fleet = await stage.open("{name: a, class: code, runtime: claude, command: no-such-program}")

    async def dead() -> bool:
        return [record.readiness for record in await fleet.observe()] == ["dead"]

    await until(dead)
    (pane,) = [pane for pane in await fleet.terminal().panes() if pane.session == "a"]
    seen = await fleet.terminal().look(pane.id)
    assert seen is not None
    assert "no-such-program cannot be started" in seen[1]
