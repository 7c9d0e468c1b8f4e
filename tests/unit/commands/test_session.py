"""Help, why, confirm and status, as people of every role get them in a room."""

import json
from typing import Any

import pytest

from bot.command.declare import EVERYONE, Call, Effect, command, topic
from bot.command.interpreter import Interpreter
from bot.errors import UserError
from bot.model import Caller, Role, Via
from bot.reply import Reply, Table, Text, say
from tests.fakes.decisions import MemoryAudit
from tests.stages.face import PEOPLE, ROOM, make_interpreter


@topic("drill")
class Drill:
    """A destructive command."""

    def __init__(self) -> None:
        self.wiped = 0

    @command("wipe", roles=EVERYONE, effect=Effect.WRITE, confirm="All will be gone.")
    async def wipe(self, call: Call) -> Reply:
        """Wipe."""
        self.wiped += 1
        return say("Gone.")


@pytest.fixture
def drill() -> Drill:
    return Drill()


@pytest.fixture
def interpreter(drill: Drill) -> Interpreter:
    status = {"state": "running", "uptime_seconds": 61, "parts": {}}
    return make_interpreter(MemoryAudit(), status, [drill], None)


async def say_as(interpreter: Interpreter, role: str, line: str) -> Reply:
    return await interpreter.run_line(line, Call(Caller(PEOPLE[role], Via.CHAT), ROOM, "call"))


def names(reply: Reply) -> set[str]:
    return {entry["name"] for entry in reply.data["commands"]}


@pytest.mark.parametrize("role", ["member", "agent", "operator"])
async def test_help_lists_what_is_open_to_who_asks(interpreter: Interpreter, role: str) -> None:
    known = interpreter.catalog.commands.values()
    mine = {found.name for found in known if Role(role) in found.roles}
    reply = await say_as(interpreter, role, "help")
    assert names(reply) == mine
    hidden = [b.text for b in reply.blocks if isinstance(b, Text) and "not open to you" in b.text]
    assert hidden == (
        [] if len(mine) == len(known) else [f"{len(known) - len(mine)} more are not open to you."]
    )


async def test_help_on_a_topic_lists_its_commands(interpreter: Interpreter) -> None:
    assert names(await say_as(interpreter, "operator", "help mail")) == {"mail dead", "mail retry"}


@pytest.mark.parametrize(
    "line", ["help backlog claim", "help !backlog claim", "help fleet backlog claim"]
)
async def test_help_on_a_command_says_usage_arguments_and_for_whom(
    interpreter: Interpreter, line: str
) -> None:
    data = (await say_as(interpreter, "member", line)).data
    assert data["usage"].startswith("backlog claim")
    assert {"--owner", "--ttl"} <= {argument["name"] for argument in data["arguments"]}
    assert data["roles"] == ["agent", "operator"]


async def test_help_names_what_is_allowed(interpreter: Interpreter) -> None:
    data = (await say_as(interpreter, "member", "help backlog list")).data
    allowed = {argument["name"]: argument["allowed"] for argument in data["arguments"]}
    assert allowed["--status"] == "one of ready, claimed, blocked, done"


async def test_help_on_nothing_known_suggests(interpreter: Interpreter) -> None:
    with pytest.raises(UserError, match="did you mean `backlog claim`"):
        await say_as(interpreter, "member", "help backlog cliam")


async def test_a_stranger_learns_which_rule_refused_them(interpreter: Interpreter) -> None:
    with pytest.raises(UserError, match="refused"):
        await say_as(interpreter, "stranger", "backlog list")
    reply = await say_as(interpreter, "stranger", "why")
    assert reply.data["role"] == "stranger"
    assert [row["rule"] for row in reply.data["last"]] == ["stranger-denied"]
    assert json.dumps(reply.data)
    assert any(isinstance(block, Table) for block in reply.blocks)


async def test_who_asked_for_nothing_is_told_so(interpreter: Interpreter) -> None:
    reply = await say_as(interpreter, "member", "why")
    assert "Nothing that was asked for is on record." in [
        getattr(b, "text", "") for b in reply.blocks
    ]


async def test_only_operators_ask_about_others(interpreter: Interpreter) -> None:
    other = PEOPLE["stranger"].id
    for role in ("member", "agent", "stranger"):
        line = f"why {PEOPLE['operator'].id} backlog list"
        with pytest.raises(UserError, match="only operators") as refused:
            await say_as(interpreter, role, line)
        assert refused.value.code == "forbidden"
    decision = (await say_as(interpreter, "operator", f"why {other} backlog list")).data["decision"]
    assert (decision["allowed"], decision["rule"]) == (False, "stranger-denied")


async def test_anybody_may_try_out_an_action_for_themselves(interpreter: Interpreter) -> None:
    reply = await say_as(interpreter, "member", f"why {PEOPLE['member'].id} backlog list")
    assert reply.data["decision"]["allowed"] is True


async def test_a_code_confirms_once_and_only_for_who_was_asked(
    interpreter: Interpreter, drill: Drill
) -> None:
    code = (await say_as(interpreter, "member", "drill wipe")).data["confirmation"]
    with pytest.raises(UserError, match="nothing waits for you"):
        await say_as(interpreter, "operator", f"confirm {code}")
    assert drill.wiped == 0
    await say_as(interpreter, "member", f"confirm {code}")
    assert drill.wiped == 1
    with pytest.raises(UserError, match="nothing waits for you"):
        await say_as(interpreter, "member", f"confirm {code}")


async def test_a_no_takes_the_code_away_and_runs_nothing(
    interpreter: Interpreter, drill: Drill
) -> None:
    code = (await say_as(interpreter, "member", "drill wipe")).data["confirmation"]
    reply = await say_as(interpreter, "member", f"cancel {code}")
    assert reply.data == {"cancelled": "drill wipe"}
    with pytest.raises(UserError, match="nothing waits for you"):
        await say_as(interpreter, "member", f"confirm {code}")
    assert drill.wiped == 0


@pytest.mark.parametrize("word", ["confirm", "cancel"])
async def test_for_another_only_an_operator_answers(
    interpreter: Interpreter, drill: Drill, word: str
) -> None:
    whose = PEOPLE["member"].id
    code = (await say_as(interpreter, "member", "drill wipe")).data["confirmation"]
    with pytest.raises(UserError, match="only they and operators") as refused:
        await say_as(interpreter, "agent", f"{word} {code} --asked-by {whose}")
    assert refused.value.code == "forbidden"
    assert "not-asked-denied" in (refused.value.hint or "")
    await say_as(interpreter, "operator", f"{word} {code} --asked-by {whose}")
    assert drill.wiped == (word == "confirm")


async def test_the_offers_of_a_question_are_for_who_asked(interpreter: Interpreter) -> None:
    reply = await say_as(interpreter, "member", "drill wipe")
    code, whose = reply.data["confirmation"], PEOPLE["member"].id
    assert [(offer.mark, offer.line, offer.chooser) for offer in reply.offers] == [
        ("✅", f'confirm {code} --asked-by "{whose}"', whose),
        ("❌", f'cancel {code} --asked-by "{whose}"', whose),
    ]


async def test_status_in_a_room_is_the_daemons(interpreter: Interpreter) -> None:
    reply: Any = await say_as(interpreter, "member", "status")
    assert reply.data["state"] == "running"
    assert ("up for", "1 min 1 s") in reply.blocks[0].pairs
