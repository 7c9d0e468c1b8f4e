"""Gemini CLI (seen: 0.61.0)."""

import json
import shlex

from fleet.runtimes.runtime import Launch, Order, Runtime


def _told(order: Order) -> Launch:
    """Give it the weakest settings, which a person's win over, with a hook that hands it the prompt.

    The hook speaks again after ``/clear``. Gemini reads no such file below a directory that others can write.
    """
    brief, settings = order.folder / "brief.json", order.folder / "gemini-defaults.json"
    said = {"hookEventName": "SessionStart", "additionalContext": order.prompt}
    hook = {"type": "command", "name": "mosaic", "command": f"cat {shlex.quote(str(brief))}"}
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
)
