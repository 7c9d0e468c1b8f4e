"""Gemini CLI (seen: 0.61.0)."""

import json
import shlex

from fleet.runtimes.runtime import Launch, Order, Runtime

_TOLD = "told"


def _told(order: Order) -> Launch:
    """Give it the weakest settings, which a person's win over, with a hook that hands it the prompt.

    The hook speaks again after ``/clear``. It runs after the first prompt is drawn, so it leaves a mark. Gemini reads no such file below a directory that others can write.
    """
    brief, settings = order.folder / "brief.json", order.folder / "gemini-defaults.json"
    said = {"hookEventName": "SessionStart", "additionalContext": order.prompt}
    told = order.folder / _TOLD
    command = f"cat {shlex.quote(str(brief))} && touch {shlex.quote(str(told))}"
    hook = {"type": "command", "name": "mosaic", "command": command}
    return Launch(
        environment={"GEMINI_CLI_SYSTEM_DEFAULTS_PATH": str(settings)},
        files={
            brief: json.dumps({"hookSpecificOutput": said}) + "\n",
            settings: json.dumps({"hooks": {"SessionStart": [{"hooks": [hook]}]}}) + "\n",
        },
    )


GEMINI = Runtime(
    name="gemini",
    start=("gemini",),
    commands=frozenset({"gemini", "node"}),
    model=("--model",),
    yolo=("--yolo",),
    told=_told,
    told_mark=_TOLD,
)
