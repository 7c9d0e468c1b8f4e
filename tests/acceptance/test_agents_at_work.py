"""Cards claimed for dogfood agents by hand, handed out as mail, and done by the agents with their tokens."""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.stages.installation import Installation
from tests.waiting import until

HABITS = {"coder0": "", "asks": "dialog", "forgets": "forget", "drafts": "draft", "slow": "slow"}


def agent(name: str, habit: str) -> dict[str, Any]:
    env = {"MOSAIC_DOGFOOD_WORK_SECONDS": "0.2", "MOSAIC_DOGFOOD_AT_WORK": habit}
    return {"name": name, "class": "code", "runtime": "dogfood", "env": env}


@pytest.fixture(scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("work") / "home")
    agents = [
        {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
        {"name": "better", "class": "enhancer", "runtime": "dogfood"},
        *(agent(name, habit) for name, habit in HABITS.items()),
    ]
    installation.write_roster(
        {"version": 1, "tmux": {"socket_name": f"work-{os.getpid()}"}, "agents": agents}
    )
    await installation.up()
    try:
        yield installation
    finally:
        await installation.close()


async def claimed(fleet: Installation, card: str, agent: str) -> str:
    """Create a card, claim it for an agent, and return the claim's token."""
    words = (
        "--id",
        card,
        "--title",
        "Design it",
        "--agent-class",
        "by-hand",
    )  # no agent's: it waits for us
    made = await fleet.mosaic("backlog", "create", *words)
    assert made.status == 0, made.err
    claim = await fleet.mosaic("backlog", "claim", "--owner", agent, "--id", card, "--json")
    return str(claim.data["claim_token"])


async def hand_out(fleet: Installation, agent: str, card: str, token: str) -> str:
    """Send an agent what the supervisor sends for a card, and return the message's id."""
    body = f"{card}: Design it\n\nmosaic backlog complete --id {card} --token {token}"
    sent = await fleet.mosaic("agent", "send", agent, body, "--class", "card", "--verify", "--json")
    assert sent.status == 0, sent.err
    return str(sent.data["message_id"])


async def answer(fleet: Installation, message_id: str) -> str:
    async def said() -> str:
        story = (await fleet.mosaic("agent", "receipt", message_id, "--json")).data
        return str(story["answer"] or "")

    return await until(said, 30, "the answer")


async def status(fleet: Installation, card: str) -> str:
    return str((await fleet.mosaic("backlog", "show", card, "--json")).data["status"])


async def readiness(fleet: Installation, agent: str) -> str:
    (row,) = (await fleet.mosaic("fleet", "status", agent, "--json")).data
    return f"{row['readiness']}: {row['evidence']}"


async def test_a_card_is_done_with_its_token_and_the_turn_ends_then(fleet: Installation) -> None:
    token = await claimed(fleet, "A1", "coder0")
    message_id = await hand_out(fleet, "coder0", "A1", token)
    assert await answer(fleet, message_id) == "dogfood coder0: A1: Design it"
    card = (await fleet.mosaic("backlog", "show", "A1", "--json")).data
    assert card["status"] == "done"
    assert [one["actor"].endswith("/coder0") for one in card["history"]][-1], card["history"]


async def test_a_refused_completion_is_told(fleet: Installation) -> None:
    await claimed(fleet, "A2", "coder0")
    message_id = await hand_out(fleet, "coder0", "A2", "0123456789abcdef")
    assert await answer(fleet, message_id) == "dogfood coder0: could not complete A2: stale_token"
    assert await status(fleet, "A2") == "claimed"


async def test_one_that_asks_for_leave_goes_on_when_it_is_given(fleet: Installation) -> None:
    token = await claimed(fleet, "A3", "asks")
    message_id = await hand_out(fleet, "asks", "A3", token)

    async def stuck() -> bool:
        return (await readiness(fleet, "asks")).startswith("stuck: dialog")

    await until(stuck, 30, "the dialog")
    assert await status(fleet, "A3") == "claimed"
    assert (await fleet.mosaic("agent", "answer", "asks", "y")).status == 0
    assert await answer(fleet, message_id) == "dogfood asks: A3: Design it"
    assert await status(fleet, "A3") == "done"


async def test_one_that_forgets_completes_when_it_is_asked_again(fleet: Installation) -> None:
    token = await claimed(fleet, "A4", "forgets")
    await answer(fleet, await hand_out(fleet, "forgets", "A4", token))
    assert await status(fleet, "A4") == "claimed"
    await answer(fleet, await hand_out(fleet, "forgets", "A4", token))
    assert await status(fleet, "A4") == "done"


async def test_a_draft_that_is_left_behind_holds_the_next_card_up(fleet: Installation) -> None:
    first = await claimed(fleet, "A5", "drafts")
    await answer(fleet, await hand_out(fleet, "drafts", "A5", first))
    assert await status(fleet, "A5") == "done"
    sent = await fleet.mosaic(
        *("agent", "send", "drafts", "hello", "--verify", "--wait", "2", "--json")
    )
    assert (sent.status, sent.data["state"]) == (4, "waiting")
    assert "draft" in sent.data["reason"]
    await fleet.press("drafts", "C-u")
    assert await answer(fleet, sent.data["message_id"]) == "dogfood drafts: hello"


async def test_a_slow_one_gets_there_too(fleet: Installation) -> None:
    token = await claimed(fleet, "A6", "slow")
    assert await answer(fleet, await hand_out(fleet, "slow", "A6", token)) == (
        "dogfood slow: A6: Design it"
    )
    assert await status(fleet, "A6") == "done"
