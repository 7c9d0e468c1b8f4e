"""Codex (seen: 0.169.0)."""

import json

from fleet.runtimes.runtime import Launch, Order, Proof, Runtime


def _told(order: Order) -> Launch:
    # A JSON string is a TOML basic string once nothing but ASCII stands in it.
    words = ["-c", f"developer_instructions={json.dumps(order.prompt)}"]
    if order.agent.context_tokens is not None:
        words += ["-c", f"model_auto_compact_token_limit={order.agent.context_tokens}"]
    return Launch(tuple(words))


CODEX = Runtime(
    name="codex",
    start=("codex",),
    commands=frozenset({"codex", "node"}),
    proof=Proof.HOOKS,
    model=("--model",),
    yolo=("--dangerously-bypass-approvals-and-sandbox",),
    queues=True,
    told=_told,
)
