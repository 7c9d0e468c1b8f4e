"""Who may do what."""

import pytest

from bot.model import Principal, Role, Via
from bot.policy import ATTEND, INVITE, TALK, Access, Policy

ROOM = "matrix:!ops:example.org"
ANN = Principal("matrix:@ann:example.org", "Ann")
MIA = Principal("matrix:@mia:example.org", "Mia")
EVE = Principal("matrix:@eve:example.org", "operator")
CODER = Principal("agent:box/coder0", "coder0")
LOCAL = Principal("local:1000", "me")

POLICY = Policy(
    Access(frozenset({ANN.id}), frozenset({MIA.id}), frozenset({ROOM})),
    {"read": frozenset({Role.MEMBER, Role.OPERATOR}), "write": frozenset({Role.OPERATOR})},
)


@pytest.mark.parametrize(
    ("who", "action", "allowed", "rule"),
    [
        (ANN, "write", True, "operator-allowed"),
        (MIA, "read", True, "member-allowed"),
        (MIA, "write", False, "member-denied"),
        (EVE, "read", False, "stranger-denied"),
        (EVE, TALK, False, "stranger-denied"),
        (EVE, INVITE, False, "stranger-denied"),
        (MIA, ATTEND, False, "member-denied"),
        (LOCAL, "write", True, "operator-allowed"),
        (CODER, "read", False, "agent-denied"),
        (ANN, "fly", False, "unknown-action"),
    ],
)
def test_the_rule_that_decided_is_named(
    who: Principal, action: str, allowed: bool, rule: str
) -> None:
    decision = POLICY.authorize(who, action, ROOM, Via.CHAT)
    assert (decision.allowed, decision.rule) == (allowed, rule)
    assert decision.reason


def test_a_room_that_is_not_listed_takes_no_commands_even_from_operators() -> None:
    decision = POLICY.authorize(ANN, "write", "matrix:!other:example.org", Via.CHAT)
    assert (decision.allowed, decision.rule) == (False, "room-not-listed")


def test_a_name_decides_nothing() -> None:
    assert POLICY.role_of(Principal("matrix:@x:example.org", ANN.id)) is Role.STRANGER


def test_empty_lists_are_nobody() -> None:
    nobody = Policy(Access(frozenset(), frozenset(), frozenset()), {"read": frozenset(Role)})
    assert nobody.role_of(ANN) is Role.STRANGER
    assert nobody.role_of(LOCAL) is Role.OPERATOR


@pytest.mark.parametrize(
    ("who", "chooser", "allowed", "rule"),
    [
        (MIA, MIA.id, True, "asked-allowed"),
        (ANN, MIA.id, True, "asked-allowed"),
        (MIA, ANN.id, False, "not-asked-denied"),
        (EVE, MIA.id, False, "not-asked-denied"),
        (CODER, MIA.id, False, "not-asked-denied"),
        (EVE, None, True, "asked-allowed"),
    ],
)
def test_what_somebody_was_asked_they_answer_or_an_operator(
    who: Principal, chooser: str | None, allowed: bool, rule: str
) -> None:
    decision = POLICY.may_choose(who, chooser)
    assert (decision.allowed, decision.rule) == (allowed, rule)
    assert decision.reason


@pytest.mark.parametrize(
    ("who", "chooser", "allowed"),
    [(MIA, MIA.id, True), (ANN, MIA.id, False), (EVE, MIA.id, False), (ANN, None, True)],
)
def test_what_is_about_somebody_they_alone_answer(
    who: Principal, chooser: str | None, allowed: bool
) -> None:
    decision = POLICY.may_choose(who, chooser, personal=True)
    assert decision.allowed is allowed
    assert "operators" not in decision.reason
