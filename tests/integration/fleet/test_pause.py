"""What a pause and a freeze keep from being typed, on a real tmux server."""

import asyncio
import os
import signal
from dataclasses import replace

import pytest

from bot.errors import PausedError, TransientError, UserError
from bot.model import Delivery, Principal, Queueing, ReceiptState, SendResult
from bot.supervision.pause import SUPERVISOR
from fleet.health.readiness import Readiness
from fleet.watch.dialogs import LocalDialogs
from tests.fakes.mailroom import MemoryOutbox, Room
from tests.stages.host import DOGFOOD, QUICK, Stage, ready
from tests.stages.mailroom import letter
from tests.waiting import until

ANN = Principal("matrix:@ann:example.org", "Ann")


class Post:
    """A mailbox over the stage's pauses, and its worker's step."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.room = Room(pauses=stage.pauses)
        self.outbox = MemoryOutbox(self.room)

    async def write(
        self,
        body: str,
        author: str,
        *,
        typed: bool = False,
        queueing: Queueing = Queueing.WHEN_IDLE,
    ) -> Delivery:
        """Store mail and return it as a delivery that is tried the first time."""
        mail = self.stage.mail("orchestrator", body, typed=typed, queueing=queueing)
        stored = letter(
            mail.outbound.message_id, mail.outbound.to, kind=mail.outbound.kind, author=author
        )
        await self.outbox.store([stored])
        return replace(mail, outbound=replace(mail.outbound, author=author))

    async def carry(self, delivery: Delivery) -> SendResult:
        return await self.stage.carrier.carry(delivery, self.outbox.record)

    def story(self, delivery: Delivery) -> list[tuple[str, str | None]]:
        receipts = self.room.of(delivery.outbound.message_id)
        return [(one.state.value, one.reason) for one in receipts]


@pytest.fixture
async def post(stage: Stage) -> Post:
    await stage.open(DOGFOOD)
    await ready(stage)
    return Post(stage)


async def test_work_is_not_typed_while_a_pause_stands_and_waits_once(post: Post) -> None:
    work = await post.write("do A1", SUPERVISOR.id)
    made = await post.stage.pauses.pause(ANN, "deploy", freeze=False)
    for _ in range(3):
        with pytest.raises(PausedError, match=r"paused by Ann since .*\(deploy\)"):
            await post.carry(work)
    assert post.story(work) == [("stored", None), ("waiting", made.notice())]
    assert "do A1" not in await post.stage.rows("orchestrator")
    word = await post.write("how is it going?", ANN.id)
    assert (await post.carry(word)).state is ReceiptState.ACCEPTED
    await ready(post.stage)
    await post.stage.pauses.resume(ANN)
    assert (await post.carry(work)).state is ReceiptState.ACCEPTED
    assert [state for state, _ in post.story(work)] == ["stored", "waiting", "typed"]


async def test_a_freeze_keeps_a_persons_words_too(post: Post) -> None:
    word = await post.write("hello", ANN.id)
    await post.stage.pauses.pause(ANN, None, freeze=True)
    with pytest.raises(PausedError, match="freeze"):
        await post.carry(word)
    assert "hello" not in await post.stage.rows("orchestrator")
    await post.stage.pauses.resume(ANN)
    assert (await post.carry(word)).state is ReceiptState.ACCEPTED


async def test_a_frozen_interruption_presses_no_key_until_it_may(post: Post) -> None:
    await post.stage.drill("orchestrator", "/slow 30")
    await post.stage.send("orchestrator", "a long task")

    async def busy() -> bool:
        records = {record.name: record for record in await post.stage.fleet.observe()}
        return records["orchestrator"].readiness == Readiness.WORKING

    await until(busy)
    await post.stage.pauses.pause(ANN, None, freeze=True)
    word = await post.write("stop", ANN.id, queueing=Queueing.INTERRUPT)
    with pytest.raises(PausedError):
        await post.carry(word)
    assert "interrupted" not in post.stage.events("orchestrator")
    await post.stage.pauses.resume(ANN)
    again = Delivery(1, word.outbound, 2, word.first_tried_at)
    assert (await post.carry(again)).state is ReceiptState.ACCEPTED
    assert post.stage.events("orchestrator").count('"code": "interrupted"') == 1


async def test_what_was_typed_before_a_freeze_gets_no_second_enter(post: Post) -> None:
    word = await post.write("hello", ANN.id, typed=True)
    await post.stage.pauses.pause(ANN, None, freeze=True)
    with pytest.raises(PausedError):
        await post.carry(word)
    assert post.story(word) == [("stored", None)]
    await post.stage.pauses.resume(ANN)
    assert (await post.carry(word)).state is ReceiptState.UNKNOWN, "nobody can know"


async def test_the_time_of_a_freeze_does_not_count_for_what_is_looked_for(post: Post) -> None:
    await post.stage.drill("orchestrator", "/hang")
    await until(lambda: _shows(post, "hanging from now on"))
    word = await post.write("hello", ANN.id)
    with pytest.raises(TransientError, match="typed, and not proven yet"):
        await post.carry(word)
    await post.stage.pauses.pause(ANN, None, freeze=True)
    over = asyncio.get_running_loop().time() + 2 * QUICK.afterwards.total_seconds()
    await until(lambda: asyncio.get_running_loop().time() > over)
    typed = replace(word, typed=True)
    with pytest.raises(PausedError):
        await post.carry(typed)
    await post.stage.pauses.resume(ANN)
    with pytest.raises(TransientError, match="typed, and not proven yet"):
        await post.carry(typed)
    door = await post.stage.fleet.door("orchestrator")
    os.kill(door.pane.pid, signal.SIGCONT)
    await until(lambda: _shows(post, f"[end {word.outbound.message_id}]"))
    assert (await post.carry(typed)).state is ReceiptState.ACCEPTED
    assert [state for state, _ in post.story(word)] == ["stored", "typed", "waiting"]


async def _shows(post: Post, text: str) -> bool:
    return text in await post.stage.rows("orchestrator")


async def test_mail_that_was_taken_back_leaves_no_byte(post: Post) -> None:
    work = await post.write("do A1", SUPERVISOR.id)
    assert await post.outbox.withdraw(work.outbound.message_id, "the claim ended")
    with pytest.raises(UserError) as caught:
        await post.carry(work)
    assert caught.value.code == "withdrawn"
    assert "do A1" not in await post.stage.rows("orchestrator")


async def test_a_freeze_refuses_the_key_that_answers_a_dialog(post: Post) -> None:
    await post.stage.drill("orchestrator", "/dialog")

    async def asks() -> bool:
        return "dogfood ?" in await post.stage.rows("orchestrator")

    await until(asks)
    dialogs = LocalDialogs(post.stage.fleet, post.stage.pauses)
    await post.stage.pauses.pause(ANN, "leak", freeze=True)
    with pytest.raises(UserError, match="no key is pressed: paused by Ann") as caught:
        await dialogs.answer("orchestrator", "n")
    assert caught.value.code == "paused"
    assert "dialog_answered" not in post.stage.events("orchestrator")
    await post.stage.pauses.resume(ANN)
    await post.stage.pauses.pause(ANN, "deploy", freeze=False)
    await dialogs.answer("orchestrator", "n")
    assert "dialog_answered" in post.stage.events("orchestrator")
