"""Claude Code (seen: 2.1.330)."""

import json

from fleet.runtimes.runtime import Launch, Order, Proof, Runtime
from fleet.turns.hooks import note_into

_CONTEXT_TOKENS = 200_000
_EVENTS = ("UserPromptSubmit", "Stop", "StopFailure")


def _told(order: Order) -> Launch:
    window = order.agent.context_tokens or _CONTEXT_TOKENS
    settings = order.folder / "claude-settings.json"
    hook = {"type": "command", "command": note_into(order.events_file)}
    hooks = {event: [{"hooks": [hook]}] for event in _EVENTS}
    return Launch(
        ("--append-system-prompt-file", str(order.prompt_file), "--settings", str(settings)),
        {
            "CLAUDE_CODE_DISABLE_1M_CONTEXT": "1",
            "CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(window),
        },
        {settings: json.dumps({"hooks": hooks}) + "\n"},
    )


CLAUDE = Runtime(
    name="claude",
    start=("claude",),
    commands=frozenset({"claude", "node"}),
    proof=Proof.HOOKS,
    model=("--model",),
    yolo=("--dangerously-skip-permissions",),
    queues=True,
    told=_told,
)
