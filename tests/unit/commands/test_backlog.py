"""The backlog's commands over the model: names, flags and JSON as the contract fixes them."""

import json
from typing import Any

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call, Effect
from bot.command.words import split_line
from bot.errors import UserError
from bot.model import Address, Caller, Principal, Role, Via
from bot.reply import Fields, Reply, Table, Text
from commands.backlog import BacklogCommands
from tests.fakes.backlog import MemoryBacklog

ANN = Caller(Principal("matrix:@ann:example.org", "Ann"), Via.CHAT)
CODER = Caller(Principal("agent:east/coder0", "coder0"), Via.CLI)
KEYS = {
    *("id", "title", "body", "phase", "priority", "status", "depends_on", "claim_owner"),
    *(
        "claim_ttl_seconds",
        "claimed_at",
        "claim_expires_at",
        "attempts",
        "idempotency_key",
        "acceptance",
    ),
    *("agent_class", "agent", "host", "created_at", "updated_at"),
    *("claim_token", "unmet_deps", "block_reason", "archived_at"),
}


class Face:
    """A chat line's way to the commands, without anything in between."""

    def __init__(self) -> None:
        memory = MemoryBacklog()
        self.catalog = Catalog([BacklogCommands(memory, memory, memory)])

    async def ask(self, line: str, by: Caller = ANN) -> Reply:
        command, arguments = self.catalog.find_line(line, split_line(line))
        call = Call(by, Address("matrix", "!ops:example.org"), "c1")
        reply = await self.catalog.run(command, call, arguments)
        json.dumps(reply.data, allow_nan=False)
        return reply

    async def data(self, line: str, by: Caller = ANN) -> Any:
        return (await self.ask(line, by)).data


@pytest.fixture
def face() -> Face:
    return Face()


def test_all_sub_commands_of_the_contract_are_there_under_both_names(face: Face) -> None:
    names = {
        *("create", "edit", "show", "list", "claim", "renew", "release", "reclaim", "link"),
        *("unlink", "block", "unblock", "complete", "stats"),
    }
    assert set(face.catalog.commands) == {f"backlog {name}" for name in names}
    for command in face.catalog.commands.values():
        assert command.also == (f"fleet {command.name}",)
        assert command.confirm is None


def test_members_read_and_agents_and_operators_write(face: Face) -> None:
    for command in face.catalog.commands.values():
        assert {Role.AGENT, Role.OPERATOR} <= command.roles
        assert Role.STRANGER not in command.roles
        assert (Role.MEMBER in command.roles) == (command.effect is Effect.READ)


async def test_a_card_has_exactly_the_contracts_keys(face: Face) -> None:
    line = (
        "backlog create --id A1 --title 'the schema' --body b --phase M1 --priority 5"
        ' --acceptance \'["green", {"n": 1}]\' --idempotency-key k --agent-class code --agent coder0'
        " --host east"
    )
    card = await face.data(line)
    assert set(card) == KEYS
    assert (card["id"], card["title"], card["status"]) == ("A1", "the schema", "ready")
    assert (card["acceptance"], card["agent_class"]) == (["green", {"n": 1}], "code")
    assert (card["depends_on"], card["claim_token"], card["claimed_at"]) == ([], None, None)
    assert card["created_at"].startswith("2030-01-01T00:00:00.")
    assert card["created_at"].endswith("Z")
    shown = await face.data("fleet backlog show A1")
    assert set(shown) == KEYS | {"history"}
    event = shown["history"][0]
    assert set(event) == {"at", "actor", "via", "action", "detail"}
    assert (event["actor"], event["via"], event["action"]) == (ANN.principal.id, "chat", "create")


async def test_work_goes_from_claim_to_done(face: Face) -> None:
    await face.ask("backlog create --id A1 --title schema")
    await face.ask("backlog create --id A2 --title service --depends-on A1 --priority 9")
    claimed = await face.data("backlog claim --owner w1 --ttl 600", CODER)
    assert (claimed["id"], claimed["claim_owner"], claimed["claim_ttl_seconds"]) == (
        "A1",
        "w1",
        600,
    )
    token = claimed["claim_token"]
    renewed = await face.data(f"backlog renew A1 --token {token} --ttl 60", CODER)
    assert (renewed["claim_token"], renewed["claim_ttl_seconds"]) == (token, 60)
    assert await face.data("backlog claim --owner w2") is None
    assert await face.data("backlog claim --owner w2 --id A2") is None
    done = await face.data(f"backlog complete --id A1 --token {token}", CODER)
    assert (done["status"], done["claim_token"]) == ("done", None)
    assert [card["id"] for card in await face.data("backlog list --ready-only")] == ["A2"]


async def test_a_claim_lasts_fifteen_minutes_unless_said_otherwise(face: Face) -> None:
    await face.ask("backlog create --id A1 --title schema")
    assert (await face.data("backlog claim --owner w1"))["claim_ttl_seconds"] == 900


async def test_only_the_owner_sees_the_token_of_a_claim(face: Face) -> None:
    await face.ask("backlog create --id A1 --title schema")
    token = (await face.data("backlog claim --owner me", CODER))["claim_token"]
    assert token
    assert (await face.data("backlog show A1", CODER))["claim_token"] == token
    assert (await face.data("backlog list", CODER))[0]["claim_token"] == token
    assert (await face.data("backlog show A1", CODER))["claim_owner"] == CODER.principal.id
    for line in ("backlog show A1", "backlog list", "backlog edit --id A1 --priority 3"):
        reply = await face.ask(line)
        assert token not in json.dumps(reply.data)
        assert token not in repr(reply.blocks)


async def test_an_agent_needs_its_token_and_a_person_does_not(face: Face) -> None:
    await face.ask("backlog create --id A1 --title schema")
    with pytest.raises(UserError, match="token"):
        await face.ask("backlog complete --id A1", CODER)
    assert (await face.data("backlog complete --id A1"))["status"] == "done"


async def test_links_blocks_and_reclaims_answer_with_what_the_contract_says(face: Face) -> None:
    for card_id in ("A", "B"):
        await face.ask(f"backlog create --id {card_id} --title t")
    linked = await face.data("backlog link --from A --to B")
    assert (linked["id"], linked["depends_on"], linked["unmet_deps"]) == ("A", ["B"], 1)
    assert (await face.data("backlog unlink --from A --to B"))["depends_on"] == []
    blocked = await face.data("backlog block --id A --reason 'no licence'")
    assert (blocked["status"], blocked["block_reason"]) == ("blocked", "no licence")
    assert (await face.data("backlog unblock --id A --reason bought"))["status"] == "ready"
    token = (await face.data("backlog claim --owner w --id A"))["claim_token"]
    assert await face.data("backlog reclaim") == {"reclaimed": []}
    assert await face.data("backlog reclaim --id A") == {"reclaimed": ["A"]}
    with pytest.raises(UserError, match="stale"):
        await face.ask(f"backlog release A --token {token}")
    token = (await face.data("backlog claim --owner w --id A"))["claim_token"]
    assert (await face.data(f"backlog release A --token {token}"))["status"] == "ready"


async def test_an_edit_says_only_what_is_given_and_an_empty_text_takes_away(face: Face) -> None:
    await face.ask("backlog create --id A --title a")
    await face.ask("backlog create --id B --title b --phase M1 --host east --depends-on A")
    edited = await face.data("backlog edit --id B --host ''")
    assert (edited["title"], edited["phase"], edited["host"]) == ("b", "M1", None)
    assert edited["depends_on"] == ["A"]
    assert (await face.data("backlog edit --id B --depends-on ''"))["depends_on"] == []


async def test_stats_have_the_contracts_keys(face: Face) -> None:
    await face.ask("backlog create --id A --title a")
    stats = await face.data("backlog stats")
    assert set(stats) == {
        *("counts", "total", "oldest_ready_age_seconds", "expired_claim_count"),
        *("oldest_ready_id", "blocked_chains", "paused"),
    }
    assert stats["counts"] == {"ready": 1, "claimed": 0, "blocked": 0, "done": 0}


async def test_people_read_a_table_fields_and_sentences(face: Face) -> None:
    told = await face.ask("backlog create --id A --title schema --body 'the *whole* story'")
    assert told.blocks == (Text("The backlog has card A: schema"),)
    await face.ask("backlog create --id B --title next --depends-on A")
    listed = (await face.ask("backlog list")).blocks[0]
    assert isinstance(listed, Table)
    assert listed.rows == (
        ("A", "0", "ready", "", "schema"),
        ("B", "0", "ready, waits for 1", "", "next"),
    )
    page = await face.ask("backlog list --limit 1")
    assert page.blocks[1] == Text("There may be more: add --cursor A")
    assert (await face.ask("backlog list --status done")).blocks == (Text("No card is like that."),)
    claimed = await face.ask("backlog claim --owner w1")
    assert claimed.data["claim_token"] in repr(claimed.blocks[0])
    fields, body, history = (await face.ask("backlog show A")).blocks
    assert isinstance(fields, Fields)
    assert ("held by", "w1") in fields.pairs
    assert body == Text("the *whole* story")
    assert isinstance(history, Table)
    assert [row[3] for row in history.rows] == ["create", "claim"]
    assert "status: ready → claimed" in history.rows[1][4]
    assert (await face.ask("backlog claim --owner w2")).blocks == (Text("Nothing is claimable."),)
    assert (await face.ask("backlog reclaim")).blocks == (Text("No claim is over."),)


async def test_a_long_history_shows_people_its_end(face: Face) -> None:
    await face.ask("backlog create --id A --title t")
    for number in range(30):
        await face.ask(f"backlog edit --id A --priority {number + 1}")
    reply = await face.ask("backlog show A")
    assert len(reply.data["history"]) == 31
    assert reply.blocks[-1] == Text("11 earlier events are left out.")
