"""What a newcomer meets: a home with nothing in it, one command, and an end that leaves nothing."""

import json
import signal
from datetime import datetime

from tests.stages.installation import Ended, Installation
from tests.waiting import until

PATIENCE = 60.0
STATES = {"ok", "retrying", "stopped", "safe-mode"}
PARTS = {"api", "database", "fleet", "router", "mailbox", "answers", "connector.tmux", "schedule"}


async def test_before_the_first_start_every_command_says_how_to_begin(
    installation: Installation,
) -> None:
    for words in (("status",), ("down",), ("backlog", "list"), ("chat",)):
        ended = await installation.mosaic(*words)
        assert (ended.status, ended.out) == (3, "")
        assert "mosaic up" in ended.err
    helped = await installation.mosaic("help")
    assert helped.status == 0
    assert "backlog" in helped.out
    assert not installation.home.exists(), "asking writes nothing"


async def test_up_on_a_home_with_nothing_ends_in_a_fleet_that_works(
    installation: Installation,
) -> None:
    ended = await installation.mosaic("up", "--detach", limit=120)
    assert ended.status == 0, f"{ended.err}\n{installation.log()}"
    assert str(installation.pid) in ended.out
    listed = await installation.mosaic("fleet", "list", "--json")
    assert [(a["name"], a["runtime"]) for a in listed.data] == [
        ("orchestrator", "dogfood"),
        ("enhancer", "dogfood"),
    ]
    assert installation.socket_name.startswith("mosaic-fleet-")

    async def ready() -> bool:
        rows = (await installation.mosaic("fleet", "ps", "--json")).data
        return [row["name"] for row in rows if row["readiness"] == "available"] == [
            "orchestrator",
            "enhancer",
        ]

    await until(ready, PATIENCE, "both agents to be available")


async def test_the_backlog_is_written_and_read_from_the_command_line(
    installation: Installation,
) -> None:
    made = await installation.mosaic("backlog", "create", "--id", "A1", "--title", "schema")
    assert (made.status, made.err) == (0, "")
    assert "A1" in made.out
    listed = await installation.mosaic("backlog", "list", "--json")
    assert [(card["id"], card["title"], card["status"]) for card in listed.data] == [
        ("A1", "schema", "ready")
    ]
    again = await installation.mosaic(
        "backlog", "create", "--id", "A1", "--title", "other", "--json"
    )
    assert again.status == 1
    assert set(again.data["error"]) == {"code", "message", "hint"}
    assert "A1" in again.err
    assert (await installation.mosaic("backlog", "create", "--id", "A2")).status == 2


async def test_the_console_takes_commands_and_the_orchestrator_answers_hello(
    installation: Installation,
) -> None:
    said = b"!help\n!backlog create --id A2 --title seams\n!backlog list\nhello\n"
    ended = await installation.mosaic("chat", stdin=said)
    assert (ended.status, ended.err) == (0, "")
    for words in ("backlog create", "A2", "schema", "dogfood orchestrator: hello"):
        assert words in ended.out


async def test_a_second_start_is_refused_with_the_first_ones_pid(
    installation: Installation,
) -> None:
    first = installation.pid
    for flags in ((), ("--detach",), ("--detach", "--json")):
        ended = await installation.mosaic("up", *flags)
        assert ended.status == 1
        assert f"already running with pid {first}" in ended.err
    assert ended.data["error"]["code"] == "already_running"
    assert (await installation.status())["pid"] == first


async def test_status_has_the_shape_that_scripts_rely_on(installation: Installation) -> None:
    status = await installation.status()
    assert set(status) >= {"state", "pid", "version", "host", "uptime_seconds", "paused", "parts"}
    assert status["state"] == "running"
    assert status["pid"] == installation.pid
    assert status["uptime_seconds"] > 0
    assert status["paused"] is None
    assert set(status["parts"]) >= PARTS
    for part in status["parts"].values():
        assert set(part) == {"state", "detail", "since"}
        assert part["state"] in STATES
        assert datetime.fromisoformat(part["since"]).tzinfo is not None
    shown = await installation.mosaic("status")
    assert shown.status == 0
    assert all(name in shown.out for name in PARTS)


async def test_sigterm_leaves_the_agents_and_the_next_start_adopts_them(
    installation: Installation,
) -> None:
    before = await installation.agent_pids()
    assert set(before) == {"orchestrator", "enhancer"}
    await installation.signal(signal.SIGTERM)
    assert await installation.agent_pids() == before
    await installation.up()
    assert await installation.agent_pids() == before
    await answers(installation, "still here?")
    assert await cards(installation) == ["A1", "A2"]


async def test_a_killed_daemons_agents_are_adopted_too(installation: Installation) -> None:
    before = await installation.agent_pids()
    await installation.kill()
    await installation.up()
    assert await installation.agent_pids() == before
    await answers(installation, "and now?")


async def test_restart_keeps_the_agents(installation: Installation) -> None:
    before, first = await installation.agent_pids(), installation.pid
    ended = await installation.mosaic("restart", limit=120)
    assert ended.status == 0, ended.err
    assert installation.pid != first
    assert await installation.agent_pids() == before


async def test_down_can_keep_the_agents(installation: Installation) -> None:
    before = await installation.agent_pids()
    ended = await installation.mosaic("down", "--keep-agents")
    assert ended.status == 0, ended.err
    assert await installation.agent_pids() == before
    assert (await installation.mosaic("status", "--json")).status == 3
    await installation.up()
    assert await installation.agent_pids() == before


async def test_sigint_stops_the_agents_too(installation: Installation) -> None:
    await installation.signal(signal.SIGINT)
    assert installation.traces() == []
    await installation.up()


async def test_down_leaves_no_process_socket_or_lock(installation: Installation) -> None:
    ended = await installation.mosaic("down", "--json")
    assert (ended.status, set(ended.data)) == (0, {"stopped", "keep_agents"})
    assert installation.traces() == []
    after = await installation.mosaic("down")
    assert after.status == 3
    assert installation.bugs() == []


async def test_down_after_a_crash_removes_what_the_dead_one_left(
    installation: Installation,
) -> None:
    await installation.up()
    await installation.kill()
    ended = await installation.mosaic("down")
    assert ended.status == 3
    await installation.up()
    assert await cards(installation) == ["A1", "A2"]
    assert (await installation.mosaic("down")).status == 0
    assert installation.traces() == []


async def cards(installation: Installation) -> list[str]:
    """Return the ids of all cards."""
    ended: Ended = await installation.mosaic("backlog", "list", "--json")
    return [card["id"] for card in json.loads(ended.out)]


async def answers(installation: Installation, text: str) -> None:
    """Say something to the orchestrator and insist on its answer."""
    ended = await installation.mosaic("chat", stdin=f"{text}\n".encode())
    assert f"dogfood orchestrator: {text}" in ended.out, f"{ended}\n{installation.log()}"
