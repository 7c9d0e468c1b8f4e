"""A placard is one message: edited, pinned, made again when it is gone, and never a second one."""

from datetime import UTC, datetime, timedelta

from bot.backlog.cards import BacklogStats
from bot.model import MessageKind
from bot.rooms.headline import state_of
from bot.rooms.placards import PinState, State
from bot.rooms.showcase import Rhythm
from bot.supervision.pause import Pause
from bot.supervision.ports import Worker
from tests.stages.showcase import OPS, QUICK, ShowcaseStage
from tests.stages.supervision import sighting
from tests.waiting import until


async def test_after_many_edits_and_lives_it_is_still_one_pinned_message() -> None:
    stage = ShowcaseStage()
    for life in range(3):
        async with stage.showing():
            for number in range(4):
                stage.state = State(f"state {life}.{number}", ())
                await stage.shown(f"state {life}.{number}")
            await stage.pinned(PinState.DONE)
    assert len(stage.said()) == 1
    assert stage.edits() == 11
    placard = await stage.placards.find(OPS)
    assert placard is not None
    assert stage.house.pinned == {"!ops": [placard.event_id]}
    kinds = {message.kind for message in stage.room.messages.values()}
    assert kinds == {MessageKind.NOTICE}


async def test_without_a_change_nothing_is_edited_also_over_a_restart() -> None:
    stage = ShowcaseStage()
    for _ in range(2):
        async with stage.showing():
            await stage.shown("all is well")
            await stage.pinned(PinState.DONE)
            await stage.rest()
    assert (len(stage.said()), stage.edits()) == (1, 0)


async def test_it_is_edited_at_most_so_often() -> None:
    stage = ShowcaseStage()
    slow = Rhythm(every=timedelta(hours=1), look=timedelta(milliseconds=2))
    async with stage.showing(slow):
        await stage.pinned(PinState.DONE)
        stage.state = State("changed", ())
        await stage.rest()
        assert stage.edits() == 0
        placard = await stage.placards.find(OPS)
        assert placard is not None
        assert placard.shown_at is not None
        stage.placards._rows[OPS].shown_at = placard.shown_at - timedelta(hours=2)
        await stage.shown("changed")
    assert stage.edits() == 1


async def test_one_that_somebody_withdrew_is_made_again_in_its_pin_s_place() -> None:
    stage = ShowcaseStage()
    stage.house.pinned["!ops"] = ["$theirs"]
    async with stage.showing():
        await stage.pinned(PinState.DONE)
        first = stage.house.pinned["!ops"][1]
        stage.house.pinned["!ops"].append("$later")
        stage.house.gone.add(first)
        await until(lambda: first not in stage.house.pinned["!ops"], what="the new pin")
        await stage.rest()
    theirs, mine, later = stage.house.pinned["!ops"]
    assert (theirs, later) == ("$theirs", "$later")
    assert mine not in {first, "$theirs"}
    assert len(stage.said()) == 2


async def test_without_the_power_to_pin_it_is_said_once_and_pinned_when_there_is_some() -> None:
    stage = ShowcaseStage()
    stage.house.forbidden.add("!ops")
    for _ in range(2):
        async with stage.showing():
            await stage.pinned(PinState.REFUSED)
            await stage.rest()
    assert len(stage.told) == 1
    assert "m.room.pinned_events" in stage.told[0]
    stage.house.forbidden.clear()
    async with stage.showing():
        await stage.pinned(PinState.DONE)


async def test_a_crash_before_its_message_was_stored_makes_no_second_one() -> None:
    stage = ShowcaseStage()
    await stage.placards.begin(OPS, "begun", None)
    async with stage.showing():
        await stage.pinned(PinState.DONE)
    assert stage.said() == ["begun"]


async def test_one_that_could_not_be_said_is_tried_once_a_life() -> None:
    stage = ShowcaseStage()
    stage.failing = True
    for lives in (1, 2):
        async with stage.showing():
            await until(lambda: len(stage.said()) == lives, what="a try")  # noqa: B023 - awaited here
            await stage.rest()
            assert len(stage.said()) == lives


async def test_of_two_daemons_one_keeps_it_and_the_other_when_that_one_ends() -> None:
    stage = ShowcaseStage()
    async with stage.showing():
        async with stage.showing():
            await stage.pinned(PinState.DONE)
            stage.state = State("busy", ())
            await stage.shown("busy")
            assert (len(stage.said()), stage.edits()) == (1, 1)
        stage.state = State("calm", ())
        await stage.shown("calm")
    assert (len(stage.said()), stage.edits()) == (1, 2)


async def test_a_daemon_whose_line_to_the_database_broke_keeps_it_again() -> None:
    stage = ShowcaseStage()
    async with stage.showing():
        await stage.pinned(PinState.DONE)
        await stage.tenure.break_off()
        stage.state = State("busy", ())
        await stage.shown("busy")
    assert len(stage.said()) == 1


async def test_a_daemon_that_is_not_on_the_platform_holds_nobody_up() -> None:
    stage = ShowcaseStage()
    stage.away = True
    async with stage.showing():
        await stage.rest()
        assert stage.said() == []
        async with stage.tenure.hold("placards"):  # it is free
            pass
        stage.away = False
        await stage.pinned(PinState.DONE)
        stage.away = True
        await stage.rest()
        async with stage.tenure.hold("placards"):  # and given back
            pass


async def test_the_topic_is_set_only_when_that_is_wished_for() -> None:
    stage = ShowcaseStage()
    async with stage.showing():
        await stage.pinned(PinState.DONE)
        await stage.rest()
    assert stage.house.topics == {}
    async with stage.showing(Rhythm(timedelta(), QUICK.look, topic=True, topic_every=timedelta())):
        await until(lambda: stage.house.topics, what="a topic")
        stage.state = State("other", ())
        await until(lambda: len(stage.house.topics["!ops"]) == 2, what="the next topic")
    assert stage.house.topics["!ops"] == ["all is well", "other"]


def test_the_state_is_said_without_anything_that_changes_with_time_alone() -> None:
    now = datetime.now(UTC)

    workers = [
        Worker(sighting(name, readiness=readiness), now, now)
        for name, readiness in (("coder0", "working"), ("coder1", "stuck"))
    ]
    stats = BacklogStats({"ready": 3, "claimed": 1}, 4, 12.5, 0, "A1", ())
    state = state_of(workers, stats, (), (), None)
    assert state.headline == "Work goes on · 1 of 2 agents at work · 3 ready, 1 claimed"
    assert dict(state.details)["fleet"] == "1 stuck, 1 working (coder1 stuck)"
    assert dict(state.details)["under way"] == "nothing"
    paused = state_of(workers, stats, (), (), Pause("matrix:@ann:e.org", "deploy", now, name="Ann"))
    assert paused.headline.startswith("Paused by Ann since ")
