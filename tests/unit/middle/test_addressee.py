"""Whom a person's words are meant for."""

from datetime import UTC, datetime

import pytest

from bot.backlog.cards import CardDraft
from bot.errors import SetupError
from bot.mail.addressee import addressee
from bot.model import Address, Inbound, agent_address
from tests.fakes.backlog import MemoryBacklog
from tests.fakes.fleet import HOST, MemoryFleet
from tests.fakes.threads import MemoryThreads
from tests.stages.backlog import ANN, MINUTE

LEAD, CODER = agent_address(HOST, "lead"), agent_address(HOST, "coder0")
ROOM = Address("matrix", "!ops:e.org")
THREAD = Address("matrix", "!ops:e.org", "$root")
FLEET = MemoryFleet({"name": "lead", "class": "orchestrator"}, {"name": "coder0", "class": "code"})


def threads() -> MemoryThreads:
    """Return threads over an empty backlog."""
    return MemoryThreads(MemoryBacklog())


def said(text: str, source: Address = ROOM) -> Inbound:
    """Return what Ann says somewhere."""
    return Inbound("$1", source, ANN.principal, text, datetime.now(UTC))


@pytest.mark.parametrize(
    ("text", "to", "words"),
    [
        ("hello", LEAD, "hello"),
        ("@coder0 is A1 yours?", CODER, "is A1 yours?"),
        ("  @coder0: look\n  at this\n", CODER, "look\n  at this"),
        ("@coder0, please", CODER, "please"),
        ("@coder0", LEAD, "@coder0"),
        ("@coder0 ", LEAD, "@coder0 "),
        ("@nobody hello", LEAD, "@nobody hello"),
        ("@ann:example.org hello", LEAD, "@ann:example.org hello"),
        ("ask @coder0 about it", LEAD, "ask @coder0 about it"),
        ("@coder0! now", LEAD, "@coder0! now"),
    ],
)
async def test_the_agent_named_first_is_meant_else_the_orchestrator(
    text: str, to: Address, words: str
) -> None:
    assert await addressee(FLEET, threads(), said(text)) == (to, words)


async def test_without_an_orchestrator_nobody_is_meant() -> None:
    fleet = MemoryFleet({"name": "coder0", "class": "code"})
    assert await addressee(fleet, threads(), said("hello")) == (None, "hello")
    assert await addressee(fleet, threads(), said("@coder0 hello")) == (CODER, "hello")


async def test_without_a_roster_nobody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_roster(*_: object) -> Address:
        raise SetupError("no roster was read yet")

    monkeypatch.setattr(FLEET, "address", no_roster)
    assert await addressee(FLEET, threads(), said("@coder0 hello")) == (LEAD, "@coder0 hello")


@pytest.mark.parametrize(
    ("owner", "to"),
    [
        (f"agent:{HOST}/coder0", CODER),
        (f"{HOST}/coder0", CODER),
        ("coder0", CODER),
        ("agent:east/coder0", agent_address("east", "coder0")),
        ("matrix:@ann:example.org", LEAD),
        ("nobody", LEAD),
    ],
)
async def test_in_a_card_s_thread_the_agent_that_holds_the_card_is_meant(
    owner: str, to: Address
) -> None:
    ours = threads()
    await ours.backlog.create(CardDraft("A1", title="shed"), ANN)
    await ours.bind("A1", THREAD)
    assert await addressee(FLEET, ours, said("hello", THREAD)) == (LEAD, "hello")
    await ours.backlog.claim(owner, MINUTE, "A1", ANN)
    assert await addressee(FLEET, ours, said("hello", THREAD)) == (to, "hello")
    assert await addressee(FLEET, ours, said("@lead hello", THREAD)) == (LEAD, "hello")
    assert await addressee(FLEET, ours, said("hello")) == (LEAD, "hello")
    await ours.backlog.complete("A1", None, ANN)
    assert await addressee(FLEET, ours, said("hello", THREAD)) == (LEAD, "hello")
