"""Agents write to each other with `mosaic agent send`, on one host and between two."""

import os
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.stages.installation import Installation
from tests.stages.postgres import Tier
from tests.waiting import until

AGENTS = [
    {"name": "lead", "class": "orchestrator", "runtime": "dogfood"},
    {"name": "enhancer", "class": "enhancer", "runtime": "dogfood"},
    {"name": "coder0", "class": "code", "runtime": "dogfood", "alias": "Ada"},
]


@pytest.fixture
async def database_url(server: Tier) -> AsyncIterator[str]:
    """A database that two daemons share."""
    async with server.empty() as target:
        assert target.url is not None
        yield target.url


@pytest.fixture(scope="module")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    home = tmp_path_factory.mktemp("mail") / "home"
    installation = Installation(home)
    installation.write_settings('[host]\nname = "alpha"\n')
    installation.write_roster(roster("mail", AGENTS))
    await installation.up()
    try:
        await all_available(installation)
        yield installation
    finally:
        await installation.close()


def roster(name: str, agents: list[dict[str, str]]) -> dict[str, Any]:
    socket = f"{name}-{os.getpid()}"
    return {"version": 1, "tmux": {"socket_name": socket}, "agents": agents}


async def all_available(installation: Installation) -> None:
    async def available() -> bool:
        rows = (await installation.mosaic("fleet", "ps", "--json")).data
        return {row["readiness"] for row in rows} == {"available"}

    await until(available, 60, "everybody to be available")


async def answered(installation: Installation, message_id: str) -> dict[str, Any]:
    async def story() -> dict[str, Any]:
        data = (await installation.mosaic("agent", "receipt", message_id, "--json")).data
        return data if data["state"] == "answered" else {}

    return await until(story, 60, "the answer")


async def test_an_agent_writes_to_a_peer_and_finds_the_answer_in_its_inbox(
    fleet: Installation,
) -> None:
    coder = fleet.as_agent("coder0")
    sent = await coder.mosaic("agent", "send", "lead", "is A1 yours?", "--verify", "--json")
    assert sent.status == 0, sent.err
    assert sent.data["state"] in {"accepted", "answered"}
    assert (sent.data["from"], sent.data["to"]) == ("alpha:coder0", "alpha:lead")
    assert sent.data["class"] == "chat"
    assert sent.data["attempts"] >= 1
    assert sent.data["stored_at"] <= sent.data["typed_at"] <= sent.data["accepted_at"]
    header = f"[from alpha:coder0 → to alpha:lead | class chat | id {sent.data['message_id']}]"
    (event,) = [
        one
        for one in fleet.agent_events("lead")
        if "A1" in one["text"] and one["event"] == "submitted"
    ]
    assert event["text"].startswith(header + "\n")
    story = await answered(coder, sent.data["message_id"])
    assert story["answer"] == "dogfood lead: is A1 yours?"

    (item,) = (await coder.mosaic("agent", "inbox", "--json")).data
    assert set(item) >= {"message_id", "from", "to", "text", "state", "answer", "at"}
    assert (item["text"], item["answer"]) == ("is A1 yours?", story["answer"])
    assert (await coder.mosaic("agent", "ack", item["message_id"][:8])).status == 0
    assert (await coder.mosaic("agent", "inbox", "--json")).data == []
    theirs = await coder.mosaic("agent", "inbox", "lead", "--json")
    assert (theirs.status, theirs.data["error"]["code"]) == (1, "forbidden")
    assert [
        one["text"] for one in (await fleet.mosaic("agent", "inbox", "lead", "--json")).data
    ] == ["is A1 yours?"]


async def test_a_person_writes_by_alias_with_a_text_from_standard_input(
    fleet: Installation,
) -> None:
    text = "--json is a flag\n" + "x" * 8000 + "\n#{pane_id} $(id)\n"
    sent = await fleet.mosaic(
        *("agent", "send", "Ada", "-", "--class", "handoff", "--verify", "--json"),
        stdin=text.encode(),
    )
    assert sent.status == 0, sent.err
    assert sent.data["to"] == "alpha:coder0"
    assert sent.data["from"].startswith("local:")
    (event,) = [one for one in fleet.agent_events("coder0") if one["event"] == "submitted"]
    assert event["text"].split("\n", 1)[1] == f"{text.strip()}\n[end {sent.data['message_id']}]"
    assert " | class handoff | " in event["text"].split("\n", 1)[0]


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (("nobody", "hello"), "unknown_agent", 1),
        (("coder0", " \n"), "usage", 2),
        (("coder0", "hello", "--class", "a b"), "usage", 2),
        (("1000", "hello", "--host", "local"), "a_person", 1),
    ],
)
async def test_bad_mail_is_refused(
    fleet: Installation, words: tuple[str, ...], code: str, status: int
) -> None:
    ended = await fleet.mosaic("agent", "send", *words, "--json")
    assert (ended.status, ended.data["error"]["code"]) == (status, code)


async def test_verify_that_ends_waiting_says_why(fleet: Installation) -> None:
    await fleet.type("enhancer", "/dialog")
    sent = await fleet.mosaic(
        "agent", "send", "enhancer", "hello", "--verify", "--wait", "2", "--json"
    )
    assert (sent.status, sent.data["state"]) == (4, "waiting")
    assert "a dialog is open: Permission" in sent.data["reason"]
    await fleet.press("enhancer", "n")
    story = await answered(fleet, sent.data["message_id"])
    states = [receipt["state"] for receipt in story["receipts"]]
    # Once the dialog is closed it may wait for the turn that asked, too: each reason is a receipt of its own.
    assert [state for state, _ in groupby(states)] == [
        *("stored", "waiting", "typed", "accepted", "answered")
    ]
    asked = [one for one in fleet.agent_events("enhancer") if one["event"] == "dialog_answered"]
    assert [one["answer"] for one in asked] == ["refused"], "nobody but the person answered it"


async def test_mail_goes_from_host_to_host_and_waits_for_one_that_is_down(
    tmp_path: Path, database_url: str
) -> None:
    alpha, beta = (
        Installation(tmp_path / host, {"DATABASE_URL": database_url}) for host in ("alpha", "beta")
    )
    agents = [
        {"name": "lead", "class": "orchestrator", "runtime": "dogfood", "host": "alpha"},
        {"name": "coder0", "class": "code", "runtime": "dogfood", "host": "beta"},
    ]
    for one, host in ((alpha, "alpha"), (beta, "beta")):
        one.write_settings(f'[host]\nname = "{host}"\n')
        one.write_roster(roster(f"two-{host}", agents))
    try:
        await alpha.up()
        await beta.up()
        await all_available(beta)
        await all_available(alpha)
        lead = alpha.as_agent("lead")
        sent = await lead.mosaic("agent", "send", "coder0", "over there", "--verify", "--json")
        assert sent.status == 0, sent.err
        assert (sent.data["from"], sent.data["to"]) == ("alpha:lead", "beta:coder0")
        assert (await answered(alpha, sent.data["message_id"]))["answer"] == (
            "dogfood coder0: over there"
        )
        back = await beta.as_agent("coder0").mosaic(
            "agent", "send", "lead", "and back", "--host", "alpha", "--verify", "--json"
        )
        assert back.status == 0, back.err

        await beta.kill()
        waits = await lead.mosaic(
            "agent", "send", "coder0", "when you are back", "--verify", "--wait", "1", "--json"
        )
        assert (waits.status, waits.data["state"]) == (4, "stored")
        await beta.up()
        story = await answered(alpha, waits.data["message_id"])
        assert story["answer"] == "dogfood coder0: when you are back"
        submitted = [
            one for one in beta.agent_events("coder0") if "when you are back" in one["text"]
        ]
        assert [one["event"] for one in submitted] == ["submitted", "turn_ended"]
    finally:
        await alpha.close()
        await beta.close()
