"""The supervisor as people meet it: cards go to free agents by themselves, and it says why when none does."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stages.installation import Installation
from tests.waiting import until

FAST = "[supervisor]\naccept_seconds = 5\nquiet_seconds = 1\ntick_seconds = 5\n"


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Installation]:
    installation = Installation(tmp_path / "home")
    installation.write_settings(FAST)
    work = {"MOSAIC_DOGFOOD_WORK_SECONDS": "0.3"}
    agents = [
        {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
        {"name": "better", "class": "enhancer", "runtime": "dogfood"},
        {"name": "coder0", "class": "code", "runtime": "dogfood", "env": dict(work)},
        {
            "name": "fresh",
            "class": "docs",
            "runtime": "dogfood",
            "env": dict(work),
            "reset_between_tasks": True,
        },
        {
            "name": "never",
            "class": "review",
            "runtime": "dogfood",
            "env": work | {"MOSAIC_DOGFOOD_AT_WORK": "never"},
        },
    ]
    installation.write_roster(
        {
            "version": 1,
            "tmux": {"socket_name": f"supervisor-{os.getpid()}"},
            "agents": agents,
        }
    )
    await installation.up()
    try:
        yield installation
        assert installation.bugs() == []
    finally:
        await installation.close()


async def create(fleet: Installation, card: str, *more: str) -> None:
    made = await fleet.mosaic("backlog", "create", "--id", card, "--title", f"Do {card}", *more)
    assert made.status == 0, made.err


async def status(fleet: Installation, card: str) -> str:
    return str((await fleet.mosaic("backlog", "show", card, "--json")).data["status"])


async def done(fleet: Installation, card: str) -> None:
    async def is_done() -> bool:
        return await status(fleet, card) == "done"

    await until(is_done, 30, f"{card} to be done")


async def explained(fleet: Installation, subject: str) -> str:
    ended = await fleet.mosaic("supervisor", "explain", subject, "--json")
    assert ended.status == 0, ended.err
    return "\n".join(ended.data["reasons"])


async def test_cards_go_to_free_agents_in_their_order_and_the_planner_is_asked_once(
    fleet: Installation,
) -> None:
    await fleet.mosaic("pause")
    await create(fleet, "A1", "--agent-class", "code")
    await create(fleet, "A2", "--agent-class", "code", "--depends-on", "A1")
    await create(fleet, "A3", "--agent", "better")
    await fleet.mosaic("resume")
    for card in ("A1", "A2", "A3"):
        await done(fleet, card)
    history = (await fleet.mosaic("backlog", "show", "A2", "--json")).data["history"]
    assert [one["action"] for one in history] == ["create", "claim", "renew", "complete"]

    async def asked() -> bool:
        return any("no open card left" in e.get("text", "") for e in fleet.agent_events("lead"))

    await until(asked, 30, "the orchestrator to be asked for more")
    assert "completed it" in await explained(fleet, "A1")
    prompts = [
        item["text"] for item in (await fleet.mosaic("agent", "inbox", "coder0", "--json")).data
    ]
    assert len(prompts) == 2
    assert all("--token (hidden)" in prompt for prompt in prompts), "a token is its agent's alone"
    own = (await fleet.as_agent("coder0").mosaic("agent", "inbox", "--json")).data
    assert not any("(hidden)" in item["text"] for item in own)
    assert "No card is ready" in await explained(fleet, "coder0")
    told = [
        e
        for e in fleet.agent_events("lead")
        if e["event"] == "submitted" and "no open card left" in e["text"]
    ]
    assert len(told) == 1


async def test_one_that_never_completes_is_asked_once_and_the_card_returns(
    fleet: Installation,
) -> None:
    await create(fleet, "B1", "--agent-class", "review")

    async def returned() -> bool:
        events = (await fleet.mosaic("backlog", "show", "B1", "--json")).data["history"]
        return any(event["action"] == "release" for event in events)

    await until(returned, 30, "the card to return")
    told = [e for e in fleet.agent_events("never") if e["event"] == "submitted"]
    assert len(told) == 2, "the card, and one question"
    assert "did not finish it" in await explained(fleet, "B1")
    assert "rests until" in await explained(fleet, "never")


async def test_it_says_why_a_card_is_not_taken(fleet: Installation) -> None:
    await create(fleet, "C1", "--agent-class", "painter")
    assert "No agent of the fleet takes it: it asks for class painter" in await explained(
        fleet, "C1"
    )
    unknown = await fleet.mosaic("supervisor", "explain", "nobody")
    assert unknown.status == 1
    assert "neither an agent nor a card" in unknown.err
    ticked = await fleet.mosaic("supervisor", "tick", "--json")
    assert ticked.status == 0, ticked.err
    assert ticked.data["trigger"] == "asked for"
    said = (await fleet.mosaic("supervisor", "status", "--json")).data
    assert said["leader"]["host"] == (await fleet.status())["host"]
    assert "class painter" in said["verdict"]


async def test_one_that_is_reset_between_cards_is_begun_anew(fleet: Installation) -> None:
    before = (await fleet.agent_pids())["fresh"]
    await create(fleet, "D1", "--agent-class", "docs")
    await done(fleet, "D1")

    async def begun_anew() -> bool:
        return (await fleet.agent_pids()).get("fresh") not in {None, before}

    await until(begun_anew, 30, "the agent to be begun anew")
    await create(fleet, "D2", "--agent-class", "docs")
    await done(fleet, "D2")
    sessions = {e["session_id"] for e in fleet.agent_events("fresh") if e["event"] == "submitted"}
    assert len(sessions) == 2, "each card has a session of its own"
