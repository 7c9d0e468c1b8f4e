"""Whom a person's words are meant for."""

import pytest

from bot.errors import SetupError
from bot.mail.addressee import addressee
from bot.model import Address, agent_address
from tests.fakes.fleet import HOST, MemoryFleet

LEAD, CODER = agent_address(HOST, "lead"), agent_address(HOST, "coder0")
FLEET = MemoryFleet({"name": "lead", "class": "orchestrator"}, {"name": "coder0", "class": "code"})


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
def test_the_agent_named_first_is_meant_else_the_orchestrator(
    text: str, to: Address, words: str
) -> None:
    assert addressee(FLEET, text) == (to, words)


def test_without_an_orchestrator_nobody_is_meant() -> None:
    fleet = MemoryFleet({"name": "coder0", "class": "code"})
    assert addressee(fleet, "hello") == (None, "hello")
    assert addressee(fleet, "@coder0 hello") == (CODER, "hello")


def test_without_a_roster_nobody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_roster(*_: object) -> Address:
        raise SetupError("no roster was read yet")

    monkeypatch.setattr(FLEET, "address", no_roster)
    assert addressee(FLEET, "@coder0 hello") == (LEAD, "@coder0 hello")
