"""`devices` shows whose devices take part, lets an operator decide, and verifies by symbols."""

import uuid
from dataclasses import replace

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.errors import MosaicError, SetupError, UserError
from bot.model import Address, Caller, Principal, Role, Via
from bot.policy import Access, Policy
from bot.reply import Block, Code, Offer, Reply, Table, Text
from bot.rooms.devices import DeviceTrust, KnownDevice, VerificationStep
from commands.device_words import tell_of
from commands.devices import DeviceCommands
from tests.fakes.devices import MemoryDevices, MemoryVerifications

ANN = Principal("matrix:@ann:e.org", "ann")
BOB = Principal("matrix:@bob:e.org", "bob")
OP = Principal("matrix:@op:e.org", "op")
OPS = Address("matrix", "!ops:e.org")
PHONE = KnownDevice("PHONE", "", "abcd efgh", DeviceTrust.UNSET, takes_part=True, signed=True)
LOST = KnownDevice("LOST", "old", "ijkl mnop", DeviceTrust.CHANGED, takes_part=False)
ACCESS = Access(
    operators=frozenset({OP.id}), members=frozenset({ANN.id, BOB.id}), rooms=frozenset({OPS.lane})
)


class Desk:
    """The commands over devices in memory; without ``keys`` no connector knows any."""

    def __init__(self, *, keys: bool = True) -> None:
        self.devices = MemoryDevices({ANN.id: [PHONE, LOST]})
        self.verifications = MemoryVerifications(self.devices, OPS)
        self.catalog = Catalog(
            [
                DeviceCommands(
                    lambda: self.devices if keys else None,
                    lambda: self.verifications if keys else None,
                    lambda: Policy(ACCESS, {}),
                )
            ]
        )

    async def ask(
        self, line: str, who: Principal = OP, via: Via = Via.CHAT, thread: Address | None = None
    ) -> Reply:
        command, arguments = self.catalog.find_line(line, split_line(line))
        call = Call(Caller(who, via), OPS, uuid.uuid4().hex, thread)
        return await self.catalog.run(command, call, arguments)

    async def compare(self, who: Principal = OP) -> str:
        """Have Ann's telephone show symbols; return the code."""
        begun = await self.ask("devices verify @ann:e.org PHONE", who)
        await self.verifications.agree()
        return str(begun.data["code"])


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_one_sees_ones_own_devices_and_those_of_others(desk: Desk) -> None:
    for line in ("devices list", "devices list @ann:e.org", "devices list matrix:@ann:e.org"):
        reply = await desk.ask(line, ANN)
        (table,) = reply.blocks
        assert isinstance(table, Table)
        assert table.rows == (
            ("PHONE", "-", "seen first, not verified", "yes", "yes", "abcd efgh"),
            ("LOST", "old", "its keys changed", "no", "no", "ijkl mnop"),
        )
    (text,) = (await desk.ask("devices list @bob:e.org")).blocks
    assert isinstance(text, Text)
    assert "has no device that encrypts" in text.text


def test_members_look_and_answer_and_operators_decide(desk: Desk) -> None:
    roles = {name: one.roles for name, one in desk.catalog.commands.items()}
    for word in ("list", "pending", "confirm", "refuse"):
        assert roles[f"devices {word}"] == {Role.MEMBER, Role.OPERATOR}
    for word in ("verify", "allow", "block", "unblock", "forget"):
        assert roles[f"devices {word}"] == {Role.OPERATOR}


@pytest.mark.parametrize(
    ("word", "trust"),
    [
        ("allow", DeviceTrust.IGNORED),
        ("block", DeviceTrust.BLOCKED),
        ("forget", DeviceTrust.UNSET),
    ],
)
async def test_a_word_decides(desk: Desk, word: str, trust: DeviceTrust) -> None:
    reply = await desk.ask(f"devices {word} @ann:e.org PHONE")
    assert reply.data["trust"] == trust
    assert desk.devices.known[ANN.id][0].trust is trust


async def test_only_what_is_blocked_is_unblocked(desk: Desk) -> None:
    await desk.ask("devices block @ann:e.org PHONE")
    assert (await desk.ask("devices unblock @ann:e.org PHONE")).data["trust"] == DeviceTrust.UNSET
    with pytest.raises(UserError, match="is not blocked"):
        await desk.ask("devices unblock @ann:e.org PHONE")


@pytest.mark.parametrize("given", ["abcdefgh", "'abcd efgh'", "'abcde fgh'"])
async def test_a_fingerprint_that_was_compared_verifies(desk: Desk, given: str) -> None:
    reply = await desk.ask(f"devices verify @ann:e.org PHONE --fingerprint {given}")
    assert reply.data["trust"] == DeviceTrust.VERIFIED


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("devices verify @ann:e.org PHONE --fingerprint abcdefgi", UserError),
        ("devices verify @ann:e.org LOST", UserError),
        ("devices verify @ann:e.org NOWHERE", UserError),
        ("devices verify @ann:e.org NOWHERE --fingerprint abcd", UserError),
        ("devices verify ann PHONE", MosaicError),
        ("devices confirm 0000", UserError),
        ("devices confirm all", MosaicError),
    ],
)
async def test_what_cannot_be_decided_is_refused(
    desk: Desk, line: str, kind: type[MosaicError]
) -> None:
    with pytest.raises(kind):
        await desk.ask(line)
    assert desk.devices.known[ANN.id] == [PHONE, LOST]


async def test_symbols_that_are_the_same_on_both_sides_verify(desk: Desk) -> None:
    code = await desk.compare()
    shown = await desk.ask("devices pending", ANN)
    assert isinstance(shown.blocks[1], Code)
    assert shown.blocks[1].text.splitlines() == ["🐶  Dog"] * 7
    reply = await desk.ask(f"devices confirm {code}")
    assert reply.data["step"] == VerificationStep.CONFIRMED
    await desk.verifications.confirm()
    assert desk.devices.known[ANN.id][0].trust is DeviceTrust.VERIFIED
    (text,) = (await desk.ask("devices pending")).blocks
    assert text == Text("No verification is running.")


async def test_nobody_else_than_who_asked_and_operators_answers(desk: Desk) -> None:
    code = str((await desk.verifications.begin(ANN, "PHONE", None, ANN)).code)
    await desk.verifications.agree()
    for word in ("confirm", "refuse"):
        with pytest.raises(UserError) as refusal:
            await desk.ask(f"devices {word} {code}", BOB)
        assert refusal.value.code == "forbidden"
    assert (await desk.ask(f"devices confirm {code}", ANN)).data["device"] == "PHONE"


async def test_symbols_that_differ_end_it(desk: Desk) -> None:
    code = await desk.compare()
    reply = await desk.ask(f"devices refuse {code}")
    assert reply.data["step"] == VerificationStep.ENDED
    assert desk.devices.known[ANN.id][0].trust is DeviceTrust.UNSET


@pytest.mark.parametrize(
    ("via", "thread", "place"),
    [
        (Via.CHAT, None, OPS),
        (Via.CHAT, Address("matrix", "!ops:e.org", "$t"), Address("matrix", "!ops:e.org", "$t")),
        (Via.CLI, None, Address("matrix", "!ops:e.org")),
    ],
)
async def test_the_symbols_come_where_it_was_asked(
    desk: Desk, via: Via, thread: Address | None, place: Address
) -> None:
    await desk.ask("devices verify @ann:e.org PHONE", via=via, thread=thread)
    assert [one.place for one in desk.verifications.open()] == [place]


@pytest.mark.parametrize(("private", "marks"), [(False, ["✅", "❌"]), (True, ["❌"])])
async def test_in_an_encrypted_room_the_yes_cannot_be_tapped(
    desk: Desk, private: bool, marks: list[str]
) -> None:
    code = await desk.compare()
    (one,) = desk.verifications.open()
    said: list[tuple[str, tuple[Block, ...], tuple[Offer, ...], Address | None]] = []

    def put(
        text: str,
        *more: Block,
        urgent: bool = False,
        offers: tuple[Offer, ...] = (),
        to: Address | None = None,
    ) -> None:
        assert urgent
        said.append((text, more, offers, to))

    await tell_of(replace(one, private=private), put)
    ((text, blocks, offers, to),) = said
    assert f"!devices confirm {code}" in text
    assert isinstance(blocks[0], Code)
    assert [offer.mark for offer in offers] == marks
    assert {offer.chooser for offer in offers} == {OP.id}
    assert to == OPS
    await tell_of(replace(one, step=VerificationStep.CONFIRMED), put)
    assert len(said) == 1, "nobody has to do anything now"
    await tell_of(replace(one, step=VerificationStep.ENDED, why="it took too long"), put)
    assert "is not verified" in said[1][0]
    assert said[1][2] == ()


async def test_without_keys_it_is_said_what_to_set() -> None:
    for line in ("devices list", "devices pending"):
        with pytest.raises(SetupError, match="has no keys"):
            await Desk(keys=False).ask(line)
