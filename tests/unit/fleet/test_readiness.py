"""Readiness is total, and each word needs its evidence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.health.heartbeat import read_heartbeat
from fleet.health.readiness import Facts, Readiness, Thresholds, judge
from fleet.tmux.panes import FORMAT, parse_pane

NEW = timedelta(seconds=1)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@pytest.mark.parametrize(
    ("facts", "readiness", "evidence"),
    [
        (Facts(running=False, heartbeat_age=NEW, state="prompt"), "dead", "no running process in a pane"),
        (Facts(running=False, crash_loop="crash loop: 5 starts"), "stuck", "crash loop: 5 starts"),
        (Facts(running=False, crash_loop="crash loop: 5 starts", stopped_by="a person"), "dead", "stopped by a person"),
        (Facts(running=True, heartbeat_age=NEW, state="prompt", stopped_by="a person"), "available", "turn ended"),
        (Facts(running=True, heartbeat_age=NEW, state="prompt", crash_loop="crash loop: 5 starts"), "available", "turn ended"),
        (Facts(running=True, age=NEW), "unknown", "starting"),
        (Facts(running=True, age=seconds(31)), "unknown", "no heartbeat"),
        (Facts(running=True, heartbeat_age=seconds(61), state="prompt"), "stale", "last heartbeat 61 s ago"),
        (Facts(running=True, heartbeat_age=seconds(60), state="prompt"), "available", "turn ended"),
        (Facts(running=True, heartbeat_age=NEW, state="blocked", said="dialog: Permission"), "stuck", "dialog: Permission"),
        (Facts(running=True, heartbeat_age=NEW, state="busy", idle=seconds(9999)), "working", "busy"),
        (Facts(running=True, heartbeat_age=NEW, idle=seconds(300)), "available", "idle for 300 s"),
        (Facts(running=True, heartbeat_age=NEW, idle=seconds(299)), "working", "no word that its turn ended"),
        (Facts(running=True, heartbeat_age=NEW), "working", "no word that its turn ended"),
    ],
)  # fmt: skip
def test_the_first_rule_that_applies_decides(facts: Facts, readiness: str, evidence: str) -> None:
    assert judge(facts, Thresholds()) == (readiness, evidence)


SPANS = st.none() | st.timedeltas()
LOOP = "crash loop: 5 starts"
FACTS = st.builds(
    Facts,
    running=st.booleans(),
    age=SPANS,
    heartbeat_age=SPANS,
    state=st.none() | st.text() | st.sampled_from(["prompt", "busy", "draft", "blocked"]),
    idle=SPANS,
    crash_loop=st.none() | st.just(LOOP),
)


@given(FACTS)
def test_every_combination_has_one_answer_and_quiet_is_never_stuck(facts: Facts) -> None:
    readiness, evidence = judge(facts, Thresholds())
    assert evidence
    assert judge(facts, Thresholds()) == (readiness, evidence)
    assert readiness is not Readiness.STUCK or facts.state == "blocked" or evidence == LOOP
    if not facts.running:
        assert readiness is (Readiness.STUCK if facts.crash_loop else Readiness.DEAD)
    if readiness is Readiness.AVAILABLE:
        assert facts.state == "prompt" or (facts.idle or timedelta(0)) >= Thresholds().idle


def test_a_heartbeat_of_an_earlier_start_or_of_another_form_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.hb"
    now = datetime.now(UTC)
    assert read_heartbeat(path, now) is None
    path.write_text("{}")
    assert read_heartbeat(path, now) is None
    beat = '{"at": "%s", "pid": 1, "session_id": "s", "state": "prompt"}'
    path.write_text(beat % (now - seconds(30)).isoformat())
    assert read_heartbeat(path, now) is None
    found = read_heartbeat(path, now - seconds(40))
    assert found is not None
    assert found.age(now) == seconds(30)
    assert found.age(now - seconds(99)) == seconds(0)


def line(**fields: str) -> str:
    given_fields = {"pane_id": "%3", "pane_pid": "17", "session_name": "coder0"} | fields
    names = [name[2:-1] for name in FORMAT.split("\t")]
    return "\t".join(given_fields.get(name, "") for name in names)


def test_the_first_known_activity_counts_and_the_future_is_now() -> None:
    now = datetime.fromtimestamp(1000, UTC)
    fallback = parse_pane(line(window_activity="990", session_activity="900"))
    assert fallback is not None
    assert fallback.idle(now) == seconds(10)
    future = parse_pane(line(pane_activity="2000", window_activity="990"))
    assert future is not None
    assert future.idle(now) == seconds(0)
    silent = parse_pane(line())
    assert silent is not None
    assert silent.idle(now) is None


def test_a_title_with_tabs_moves_no_other_field() -> None:
    pane = parse_pane(line(pane_title="a\tb", pane_dead="1"))
    assert pane is not None
    assert (pane.id, pane.pid, pane.dead, pane.title) == ("%3", 17, True, "a\tb")
    assert parse_pane("no pane at all") is None
