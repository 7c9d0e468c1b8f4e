"""What real agent programs say of turns that the model's API refuses, or that somebody interrupts."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from bot.agents.failure import FailureKind, TurnFailure, receipt_of
from bot.model import Receipt, ReceiptState
from fleet.delivery.carrier import AgentCarrier
from fleet.delivery.keyboard import Patience
from fleet.watch.answers import AnswerWatch
from fleet.watch.rollouts import Rollouts
from tests.stages.host import Stage
from tests.stages.model_stand_in import ANSWER, BEGINNING, ModelStandIn, Refusal
from tests.stages.programs import PROGRAMS, agent_with_home
from tests.stages.watch import START_SECONDS, Watch
from tests.waiting import until

pytestmark = pytest.mark.runtimes

_SAID = "the request is bad"
_ANTHROPIC = Refusal(
    400, {"type": "error", "error": {"type": "invalid_request_error", "message": _SAID}}
)
_OPENAI = Refusal(400, {"error": {"type": "invalid_request_error", "message": _SAID}})
_GOOGLE = Refusal(400, {"error": {"code": 400, "message": _SAID, "status": "INVALID_ARGUMENT"}})
ERRORS = {
    "claude": _ANTHROPIC,
    "codex": _OPENAI,
    "gemini": _GOOGLE,
    "opencode": _OPENAI,
    "pi": _ANTHROPIC,
}
LIMITS = {
    "claude": Refusal(
        429, {"type": "error", "error": {"type": "rate_limit_error", "message": "over the limit"}}
    ),
    "codex": Refusal(
        429,
        {
            "error": {
                "type": "usage_limit_reached",
                "message": "over it",
                "resets_at": 1_999_999_999,
            }
        },
    ),
    "opencode": Refusal(
        400, {"error": {"type": "insufficient_quota", "message": "You exceeded your quota"}}
    ),
    "pi": Refusal(
        400,
        {"type": "error", "error": {"type": "billing_error", "message": "credit balance is low"}},
    ),
}
"""The kind that each program recognises at once. Gemini CLI asks at a dialog what to do, which is called out."""

PRESSES = 5
"""How often a person presses Escape at most; opencode wants a second one soon after the first."""


class Ends:
    """What the origin of mail is told, as the relay would."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.failures: list[tuple[str, TurnFailure]] = []
        self.answers: list[tuple[str, str]] = []

    async def answered(self, message_id: str, answer: str) -> None:
        self.answers.append((message_id, answer))
        await self._stage.letters.record(Receipt(message_id, ReceiptState.ANSWERED))

    async def arrived(self, message_id: str, evidence: dict[str, Any]) -> None:
        raise AssertionError(f"{message_id} was never unknown: {evidence}")

    async def failed(self, message_id: str, failure: TurnFailure) -> None:
        self.failures.append((message_id, failure))
        await self._stage.letters.record(receipt_of(message_id, failure))


class Scene:
    """One program at its prompt, with the parts of the daemon that follow it."""

    def __init__(self, stage: Stage, runtime: str) -> None:
        self.stage = stage
        self.runtime = runtime
        self.ends = Ends(stage)

    async def open(
        self, model: ModelStandIn, work: Path, following: list[asyncio.Task[None]]
    ) -> None:
        line = agent_with_home(self.runtime, work.parent / "person", work, model.url)
        fleet = await self.stage.open(line, "{name: lead, class: orchestrator, runtime: dogfood}")
        await Watch(self.stage).until_available(self.runtime)
        answers = AnswerWatch(fleet, self.stage.letters, self.ends)
        following += [
            asyncio.create_task(part.run(lambda _: None)) for part in (Rollouts(fleet), answers)
        ]

    async def send(self, body: str) -> str:
        delivery = self.stage.mail(self.runtime, body)
        carrier = AgentCarrier(self.stage.fleet, self.stage.pauses, Patience())
        result = await carrier.carry(delivery, self.stage.letters.record)
        assert result.state is ReceiptState.ACCEPTED, (result, await self.rows())
        message_id = delivery.outbound.message_id
        await self.stage.letters.record(Receipt(message_id, result.state))
        return message_id

    async def failure(self) -> TurnFailure:
        """Return why the one message that was sent failed."""
        try:
            await until(lambda: self.ends.failures, START_SECONDS, "the failure to be told")
        except AssertionError as error:
            events = self.stage.events(self.runtime)
            raise AssertionError(f"{error}\n{events}\n{await self.rows()}") from error
        assert self.ends.answers == [], "a failure is no answer"
        ((_, failure),) = self.ends.failures
        return failure

    async def rows(self) -> str:
        return await self.stage.rows(self.runtime)


@pytest.mark.parametrize("runtime", sorted(PROGRAMS))
async def test_an_error_of_the_api_is_told_and_the_next_turn_is_answered(
    stage: Stage,
    model: ModelStandIn,
    work: Path,
    following: list[asyncio.Task[None]],
    runtime: str,
) -> None:
    scene = Scene(stage, runtime)
    await scene.open(model, work, following)
    model.refusal = ERRORS[runtime]
    await scene.send("please say that you are there")
    failure = await scene.failure()
    assert failure.kind is FailureKind.ERROR
    assert _SAID in failure.detail
    model.refusal = None
    await Watch(stage).until_available(runtime)
    after = await scene.send("and now?")
    await until(lambda: scene.ends.answers, START_SECONDS, "the answer of the next turn")
    assert scene.ends.answers == [(after, ANSWER)]
    assert len(scene.ends.failures) == 1


@pytest.mark.parametrize("runtime", sorted(LIMITS))
async def test_a_limit_is_told_as_one(
    stage: Stage,
    model: ModelStandIn,
    work: Path,
    following: list[asyncio.Task[None]],
    runtime: str,
) -> None:
    scene = Scene(stage, runtime)
    await scene.open(model, work, following)
    model.refusal = LIMITS[runtime]
    await scene.send("please say that you are there")
    failure = await scene.failure()
    assert failure.kind is FailureKind.LIMIT, failure
    assert failure.detail


@pytest.mark.parametrize("runtime", sorted(PROGRAMS))
async def test_a_turn_that_somebody_interrupts_is_told_as_that(
    stage: Stage,
    model: ModelStandIn,
    work: Path,
    following: list[asyncio.Task[None]],
    runtime: str,
) -> None:
    scene = Scene(stage, runtime)
    await scene.open(model, work, following)
    # Claude Code takes a prompt that it has not begun to answer back into its box, and says nothing of it.
    (model.goes_on if runtime == "claude" else model.answers).clear()
    message_id = await scene.send("please say that you are there")
    mark = f"[end {message_id}]"
    await until(
        lambda: any(mark in text for text in model.texts()), START_SECONDS, "the model to be asked"
    )
    if runtime == "claude":

        async def begun() -> bool:
            return BEGINNING.strip() in await scene.rows()

        await until(begun, START_SECONDS, "the beginning of the answer")
    for _ in range(PRESSES):
        await stage.press(runtime, "Escape")
        with contextlib.suppress(AssertionError):
            await until(lambda: scene.ends.failures, 2.0, "the interruption")
            break
    failure = await scene.failure()
    assert failure == TurnFailure(FailureKind.INTERRUPTED)
