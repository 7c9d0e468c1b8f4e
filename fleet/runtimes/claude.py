"""Claude Code (seen: 2.1.330)."""

from fleet.runtimes.runtime import Launch, Order, Runtime

_CONTEXT_TOKENS = 200_000


def _told(order: Order) -> Launch:
    window = order.agent.context_tokens or _CONTEXT_TOKENS
    return Launch(
        ("--append-system-prompt-file", str(order.prompt_file)),
        {
            "CLAUDE_CODE_DISABLE_1M_CONTEXT": "1",
            "CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(window),
        },
    )


CLAUDE = Runtime(
    name="claude",
    start=("claude",),
    commands=frozenset({"claude", "node"}),
    model=("--model",),
    yolo=("--dangerously-skip-permissions",),
    queues=True,
    told=_told,
)
