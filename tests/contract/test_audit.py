"""The port Audit, for every implementation."""

from datetime import UTC, datetime, timedelta

from bot.model import Decision, Principal, Via
from tests.stages.mailroom import Mailroom

ANN = Principal("matrix:@ann:example.org", "Ann \x00")
BEN = Principal("local:1000", "ben")
NO = Decision(allowed=False, rule="default", reason="nothing allows it")


async def note(mailroom: Mailroom, principal: Principal, action: str) -> None:
    await mailroom.audit.note(principal, action, "fleet", Via.CHAT, NO)


async def test_a_decision_is_kept_whole(mailroom: Mailroom) -> None:
    await note(mailroom, BEN, "fleet stop")
    (row,) = await mailroom.audit.last(None, 10)
    row = dict(row)
    assert abs(datetime.now(UTC) - row.pop("at")) < timedelta(minutes=1)
    assert row == {
        "principal_id": "local:1000",
        "principal_name": "ben",
        "via": "chat",
        "action": "fleet stop",
        "resource": "fleet",
        "allowed": False,
        "rule": "default",
        "reason": "nothing allows it",
    }


async def test_the_newest_come_first_for_one_or_for_all(mailroom: Mailroom) -> None:
    for number in range(3):
        await note(mailroom, ANN, f"a{number}")
        await note(mailroom, BEN, f"b{number}")
    assert [row["action"] for row in await mailroom.audit.last(ANN.id, 2)] == ["a2", "a1"]
    assert [row["action"] for row in await mailroom.audit.last(None, 3)] == ["b2", "a2", "b1"]
    assert list(await mailroom.audit.last("nobody", 3)) == []
