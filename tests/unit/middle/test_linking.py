"""Two accounts become one person by a code and a yes of both; what that means for rights and confirmations."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import OPERATORS, Call, Effect, command, topic
from bot.command.interpreter import Interpreter
from bot.errors import UserError
from bot.mail.mailbox import Mailbox
from bot.model import Address, Caller, Principal, Role, Via, derived_id
from bot.people.linking import LIFETIME, Linking
from bot.policy import Access, Policy
from bot.reply import Offer, Reply, Text, say
from commands.accounts import AccountCommands
from commands.session import SessionCommands
from tests.fakes.decisions import MemoryAudit, MemoryConfirmations
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.fakes.persons import MemoryLinks
from tests.waiting import until

ANN = Principal("matrix:@ann:example.org", "Ann")
ANNIE = Principal("discord:1234", "annie")
MIA = Principal("discord:77", "Mia")
EVE = Principal("discord:666", "Ann")
LOCAL = Principal("local:1000", "me")
CODER = Principal("agent:box/coder0", "coder0")
PLACES = {
    "matrix": Address("matrix", "!ops:e.org"),
    "discord": Address("discord", "42"),
    "local": Address("tmux", "console"),
    "agent": Address("agent", "box/coder0"),
}


@topic("")
class Drill:
    """A destructive command."""

    def __init__(self) -> None:
        self.wiped_by: list[str] = []

    @command("wipe", roles=OPERATORS, effect=Effect.WRITE, confirm="All will be gone.")
    async def wipe(self, call: Call) -> Reply:
        """Wipe."""
        self.wiped_by.append(call.caller.principal.id)
        return say("Gone.")


@dataclass
class House:
    """The commands over everything in memory; Ann operates on Matrix, Mia is a member on Discord."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    drill: Drill = field(default_factory=Drill)

    def __post_init__(self) -> None:
        self.room = Room(now=lambda: self.now)
        self.links = MemoryLinks(self.room)
        mailbox = Mailbox(MemoryOutbox(self.room), lambda _kind: None)
        self.linking = Linking(self.links, self.links, mailbox)
        self.audit = MemoryAudit()
        session = SessionCommands(lambda: self.interpreter, self.policy, dict, self.audit)
        accounts = AccountCommands(self.linking, self.policy)
        self.interpreter = Interpreter(
            Catalog([session, accounts, self.drill]),
            self.policy,
            self.audit,
            MemoryConfirmations(),
            time_limit=timedelta(seconds=5),
            confirm_within=timedelta(seconds=60),
        )

    def policy(self) -> Policy:
        rooms = frozenset(place.lane for place in PLACES.values())
        people = frozenset({ANN.id}), frozenset({MIA.id})
        access = Access(*people, rooms, self.linking.persons)
        commands = self.interpreter.catalog.commands.values()
        return Policy(access, {found.name: found.roles for found in commands})

    async def say(self, who: Principal, line: str) -> Reply:
        call = Call(Caller(who, Via.CHAT), PLACES[who.platform], "call", event_id="$asked")
        return await self.interpreter.run_line(line, call)

    async def tap(self, who: Principal, offer: Offer) -> None:
        """Ask whether somebody may choose an offer."""
        call = Call(Caller(who, Via.CHAT), PLACES[who.platform], "call", event_id="$asked")
        await self.interpreter.require_chooser(offer.chooser, call, offer.line)

    async def agree(self, who: Principal, line: str) -> Reply:
        """Say a line, and yes to the question."""
        asked = await self.say(who, line)
        return await self.say(who, f"confirm {asked.data['confirmation']}")

    async def link(self, one: Principal, other: Principal) -> None:
        code = (await self.say(one, "account link")).data["code"]
        await self.agree(other, f"account link {code}")
        await self.say(one, f"account accept {code}")

    def asked(self, code: str, owner: Principal) -> str:
        """Return what the owner of a code was asked."""
        message = self.room.messages[derived_id("link", code, owner.id)]
        assert message.to == PLACES[owner.platform]
        assert message.reply_to == "$asked"
        return words(message.blocks)


def words(blocks: object) -> str:
    assert isinstance(blocks, tuple)
    return "\n".join(block.text for block in blocks if isinstance(block, Text))


async def test_a_code_and_a_yes_of_both_make_one_person() -> None:
    house = House()
    code = (await house.say(ANNIE, "account link")).data["code"]
    question = await house.say(ANN, f"account link {code.lower()}")
    assert "given to annie (discord:1234)" in words(question.blocks)
    assert "with the role operator" in words(question.blocks)
    assert house.policy().role_of(ANNIE) is Role.STRANGER, "a code alone is nothing"
    await house.say(ANN, f"confirm {question.data['confirmation']}")
    assert "Ann (matrix:@ann:example.org) has said your code" in house.asked(code, ANNIE)
    assert house.policy().role_of(ANNIE) is Role.STRANGER, "one yes is nothing"
    done = await house.say(ANNIE, f"account accept {code}")
    assert {one["id"] for one in done.data["accounts"]} == {ANN.id, ANNIE.id}
    assert house.policy().role_of(ANNIE) is Role.OPERATOR


async def test_a_stranger_may_be_the_one_who_says_the_code() -> None:
    house = House()
    await house.link(ANN, ANNIE)
    assert house.policy().role_of(ANNIE) is Role.OPERATOR


async def test_who_overhears_a_code_is_shown_to_its_owner_and_refused() -> None:
    house = House()
    code = (await house.say(ANN, "account link")).data["code"]
    await house.agree(EVE, f"account link {code}")
    assert "Ann (discord:666) has said your code" in house.asked(code, ANN)
    with pytest.raises(UserError, match="of yours"):
        await house.say(EVE, f"account accept {code}")
    await house.say(ANN, f"account refuse {code}")
    assert house.policy().role_of(EVE) is Role.STRANGER
    with pytest.raises(UserError, match="no code"):
        await house.say(ANN, f"account accept {code}")


async def test_only_the_owner_taps_the_last_word_and_no_operator() -> None:
    house = House()
    code = (await house.say(ANNIE, "account link")).data["code"]
    await house.agree(MIA, f"account link {code}")
    offers = house.room.offers
    message_id = derived_id("link", code, ANNIE.id)
    assert {offer.chooser for (of, _), (offer, _) in offers.items() if of == message_id} == {
        ANNIE.id
    }
    for (of, _), (offer, _) in offers.items():
        if of == message_id:
            await house.tap(ANNIE, offer)
            with pytest.raises(UserError, match="only they answer it"):
                await house.tap(ANN, offer)
    with pytest.raises(UserError, match="of yours"):
        await house.say(ANN, f"account accept {code}")


async def test_a_link_raises_nobody_above_what_the_settings_name() -> None:
    house = House()
    await house.link(EVE, Principal("matrix:@eve:example.org", "Eve"))
    assert house.policy().role_of(EVE) is Role.STRANGER
    await house.link(EVE, MIA)
    assert house.policy().role_of(EVE) is Role.MEMBER


@pytest.mark.parametrize("who", [LOCAL, CODER])
async def test_machines_users_and_agents_are_never_linked(who: Principal) -> None:
    house = House()
    with pytest.raises(UserError, match="never linked"):
        await house.say(who, "account link")
    code = (await house.say(EVE, "account link")).data["code"]
    with pytest.raises(UserError, match="never linked"):
        await house.say(who, f"account link {code}")


async def test_a_code_is_good_for_its_time() -> None:
    house = House()
    code = (await house.say(ANNIE, "account link")).data["code"]
    house.now += LIFETIME
    with pytest.raises(UserError, match="no code"):
        await house.say(ANN, f"account link {code}")


async def test_one_says_a_code_only_of_somebody_else() -> None:
    house = House()
    code = (await house.say(ANN, "account link")).data["code"]
    with pytest.raises(UserError, match="is you already"):
        await house.say(ANN, f"account link {code}")
    await house.link(ANNIE, ANN)
    code = (await house.say(ANN, "account link")).data["code"]
    with pytest.raises(UserError, match="is you already"):
        await house.say(ANNIE, f"account link {code}")


async def test_what_was_asked_of_one_account_is_confirmed_with_the_other() -> None:
    house = House()
    await house.link(ANN, ANNIE)
    asked = await house.say(ANN, "wipe")
    with pytest.raises(UserError, match="nothing waits"):
        await house.say(MIA, f"confirm {asked.data['confirmation']}")
    await house.say(ANNIE, f"confirm {asked.data['confirmation']}")
    assert house.drill.wiped_by == [ANNIE.id], "the audit names the account that said it"


async def test_the_last_word_is_said_with_any_account_of_the_one_who_asked() -> None:
    house = House()
    await house.link(ANN, ANNIE)
    code = (await house.say(ANN, "account link")).data["code"]
    await house.agree(EVE, f"account link {code}")
    done = await house.say(ANNIE, f"account accept {code}")
    assert {one["id"] for one in done.data["accounts"]} == {ANN.id, ANNIE.id, EVE.id}


async def test_an_unlinked_account_is_a_stranger_at_once() -> None:
    house = House()
    await house.link(ANN, ANNIE)
    await house.say(ANN, f"account unlink {ANNIE.id}")
    assert house.policy().role_of(ANNIE) is Role.STRANGER
    with pytest.raises(UserError, match="linked with nobody"):
        await house.say(ANNIE, "account unlink")


async def test_others_accounts_are_for_operators() -> None:
    house = House()
    await house.link(MIA, ANNIE)
    for line in (f"account unlink {MIA.id}", f"account show {MIA.id}"):
        with pytest.raises(UserError, match="for operators"):
            await house.say(EVE, line)
    shown = (await house.say(ANN, f"account show {MIA.id}")).data
    assert shown["role"] == "member"
    await house.say(LOCAL, f"account unlink {MIA.id}")
    assert (await house.say(MIA, "account show")).data["accounts"] == []


async def test_why_names_the_account_whose_role_it_is() -> None:
    house = House()
    await house.link(ANN, ANNIE)
    decided = house.policy().authorize(ANNIE, "wipe", PLACES["discord"].lane, Via.CHAT)
    assert (decided.allowed, decided.rule) == (True, "operator-allowed")
    assert decided.reason.endswith(f"{ANN.id} is the same person")
    own = house.policy().authorize(ANN, "wipe", PLACES["matrix"].lane, Via.CHAT)
    assert "same person" not in own.reason


async def test_links_of_other_daemons_are_seen() -> None:
    house = House()
    mailbox = Mailbox(MemoryOutbox(house.room), lambda _kind: None)
    other = Linking(house.links, house.links, mailbox, look=timedelta(milliseconds=5))
    looking = asyncio.create_task(other.run(lambda _detail: None))
    try:
        await house.link(ANN, ANNIE)
        await until(lambda: ANNIE.id in other.persons.of(ANN.id))
        await house.say(ANN, "account unlink")
        await until(lambda: ANNIE.id not in other.persons.of(ANN.id))
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
