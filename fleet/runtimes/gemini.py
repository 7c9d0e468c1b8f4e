"""Gemini CLI (seen: 0.61.0)."""

import json

from fleet.runtimes.runtime import Launch, Order, Runtime

_SETTINGS = {"context": {"loadMemoryFromIncludeDirectories": True}}


def _told(order: Order) -> Launch:
    """Give it a folder with a context file of its own, and the weakest settings, which a person's win over."""
    memory = order.folder / "memory"
    settings = order.folder / "gemini-defaults.json"
    return Launch(
        ("--include-directories", str(memory)),
        {"GEMINI_CLI_SYSTEM_DEFAULTS_PATH": str(settings)},
        {memory / "GEMINI.md": order.prompt, settings: json.dumps(_SETTINGS) + "\n"},
    )


GEMINI = Runtime(
    name="gemini",
    start=("gemini",),
    commands=frozenset({"gemini", "node"}),
    model=("--model",),
    yolo=("--yolo",),
    told=_told,
)
