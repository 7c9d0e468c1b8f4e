"""Why nothing happens to an agent or a card, in a sentence each: pure, from what a look shows."""

from collections.abc import Sequence

from bot.backlog.cards import CardStatus
from bot.backlog.inquiry import Situation, reasons
from bot.supervision.matching import all_spelled, spelled, takes
from bot.supervision.ports import Demand, Dispatch, OpenDispatch, Outcome, Verdict, Worker
from bot.supervision.tick import Sight

_SHOWN = 3
_SAID = {
    Outcome.COMPLETED: "completed it",
    Outcome.REFUSED: "did not take it",
    Outcome.FORGOTTEN: "did not finish it",
    Outcome.LOST: "lost it",
    Outcome.LIMITED: "was stopped by a limit",
    Outcome.FAILED: "failed",
}


def explain_agent(
    sight: Sight, worker: Worker, verdicts: Sequence[Verdict], past: Sequence[Dispatch]
) -> tuple[str, ...]:
    """Return how an agent stands now, since when the supervisor sees it so, and what became of its last cards."""
    stands = sight.stands(worker)
    said = [f"{worker.name} {stands.sentence}."]
    if stands.free:
        said.append(_what_is_there(sight, worker))
    if verdicts:
        said.append(f"Last decided at {verdicts[0].at:%H:%M:%S} UTC: {verdicts[0].sentence}.")
    ended = [f"{one.card_id}: {_ended(one)}." for one in past if one.ended_at]
    return (*said, *ended[:_SHOWN])


def _what_is_there(sight: Sight, worker: Worker) -> str:
    if not sight.demands:
        return "No card is ready."
    if any(takes(worker, demand) for demand in sight.demands):
        return "There are cards for it; those that it gave back lately are held back from it."
    return f"The ready cards ask for {all_spelled(sight.demands)}."


def explain_card(sight: Sight, situation: Situation, past: Sequence[Dispatch]) -> tuple[str, ...]:
    """Return where a card stands, who could take it and why nobody does, and what became of its last attempts."""
    card = situation.card
    said = list(reasons(situation))
    held = next((one for one in sight.open if one.dispatch.card_id == card.id), None)
    if held is not None:
        said.append(_under_way(held))
    elif card.status is CardStatus.READY and not card.unmet_deps:
        said += _whom_it_waits_for(sight, Demand(card.agent_class, card.agent, card.host))
    tried = [one for one in past if one.ended_at][:_SHOWN]
    said += [f"{one.place.partition('/')[2]} {_ended(one)}." for one in tried]
    return tuple(said)


def _under_way(progress: OpenDispatch) -> str:
    dispatch, prompt = progress.dispatch, progress.prompt
    state = "is being told" if prompt is None else f"was told: the message is {prompt.state.value}"
    why = f" ({prompt.reason})" if prompt is not None and prompt.reason else ""
    asked = "" if progress.ask is None else "; it was asked about it once"
    return f"{dispatch.place.partition('/')[2]} {state}{why}{asked}."


def _whom_it_waits_for(sight: Sight, demand: Demand) -> list[str]:
    if sight.pause is not None:
        return [f"Nothing is given out: the fleet is {sight.pause.notice()}."]
    fitting = [worker for worker in sight.workers if takes(worker, demand)]
    if not fitting:
        return [f"No agent of the fleet takes it: it asks for {spelled(demand)}."]
    stands = [(worker, sight.stands(worker)) for worker in fitting]
    busy = [f"{worker.name} {how.sentence}" for worker, how in stands if not how.free]
    if len(busy) < len(fitting):
        if demand not in sight.demands:
            return ["It rests for a while, since it came back."]
        return ["It is given out at the next look, unless its class has no slot left."]
    more = f" and {len(busy) - _SHOWN} more" if len(busy) > _SHOWN else ""
    return [f"Who could take it is not free: {'; '.join(busy[:_SHOWN])}{more}."]


def _ended(dispatch: Dispatch) -> str:
    what = "has it" if dispatch.outcome is None else _SAID[dispatch.outcome]
    at = "" if dispatch.ended_at is None else f" at {dispatch.ended_at:%H:%M:%S} UTC"
    why = f": {dispatch.reason}" if dispatch.reason else ""
    return f"{what}{at}{why}"
