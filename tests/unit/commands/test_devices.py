"""`devices` shows whose devices take part, and lets an operator decide."""

import uuid

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.devices import DeviceTrust, KnownDevice
from bot.errors import MosaicError, SetupError, UserError
from bot.model import Address, Caller, Principal, Role, Via
from bot.reply import Reply, Table, Text
from commands.devices import DeviceCommands
from tests.fakes.devices import MemoryDevices

ANN = Principal("matrix:@ann:e.org", "ann")
PHONE = KnownDevice("PHONE", "", "abcd efgh", DeviceTrust.UNSET, takes_part=True)
LOST = KnownDevice("LOST", "old", "ijkl mnop", DeviceTrust.CHANGED, takes_part=False)


async def ask(devices: MemoryDevices | None, line: str) -> Reply:
    catalog = Catalog([DeviceCommands(lambda: devices)])
    command, arguments = catalog.find_line(line, split_line(line))
    assert command.roles == {Role.OPERATOR}
    call = Call(Caller(ANN, Via.CHAT), Address("matrix", "!ops:e.org"), uuid.uuid4().hex)
    return await catalog.run(command, call, arguments)


def known() -> MemoryDevices:
    return MemoryDevices({ANN.id: [PHONE, LOST]})


async def test_one_sees_ones_own_devices_and_those_of_others() -> None:
    for line in ("devices list", "devices list @ann:e.org", "devices list matrix:@ann:e.org"):
        reply = await ask(known(), line)
        (table,) = reply.blocks
        assert isinstance(table, Table)
        assert table.rows == (
            ("PHONE", "-", "seen first, not verified", "yes", "abcd efgh"),
            ("LOST", "old", "its keys changed", "no", "ijkl mnop"),
        )
    (text,) = (await ask(known(), "devices list @bob:e.org")).blocks
    assert isinstance(text, Text)
    assert "has no device that encrypts" in text.text


@pytest.mark.parametrize(
    ("word", "trust"),
    [
        ("verify", DeviceTrust.VERIFIED),
        ("allow", DeviceTrust.IGNORED),
        ("block", DeviceTrust.BLOCKED),
        ("reset", DeviceTrust.UNSET),
    ],
)
async def test_a_word_decides(word: str, trust: DeviceTrust) -> None:
    devices = known()
    reply = await ask(devices, f"devices {word} @ann:e.org PHONE")
    assert reply.data["trust"] == trust
    assert devices.known[ANN.id][0].trust is trust


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("devices verify @ann:e.org LOST", UserError),
        ("devices verify @ann:e.org NOWHERE", UserError),
        ("devices verify ann PHONE", MosaicError),
    ],
)
async def test_what_cannot_be_decided_is_refused(line: str, kind: type[MosaicError]) -> None:
    with pytest.raises(kind):
        await ask(known(), line)


async def test_without_keys_it_is_said_what_to_set() -> None:
    with pytest.raises(SetupError, match="has no keys"):
        await ask(None, "devices list")
