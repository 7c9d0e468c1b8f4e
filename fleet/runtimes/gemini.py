"""Gemini CLI (seen: 0.61.0)."""

import json
import shlex
from pathlib import Path

from bot.errors import UserError
from fleet.runtimes.runtime import Launch, Order, Proof, Runtime
from fleet.turns.hooks import note_into

_TOLD = "told"


def _told(order: Order) -> Launch:
    """Give it the weakest settings, which a person's win over, with a hook that hands it the prompt.

    UserError where Gemini would not read them: below a directory that others can write. The hook runs after
    the first prompt is drawn, so it leaves a mark, and it speaks again after ``/clear``.
    """
    if order.agent.command is None and (place := shared_parent(order.folder)) is not None:
        raise UserError(
            f"{order.agent.name}: Gemini CLI reads no settings below {place}, which others may write",
            hint=f"choose another MOSAIC_HOME, or chmod go-w {place}",
        )
    brief, settings = order.folder / "brief.json", order.folder / "gemini-defaults.json"
    said = {"hookEventName": "SessionStart", "additionalContext": order.prompt}
    told = order.folder / _TOLD
    command = f"cat {shlex.quote(str(brief))} && touch {shlex.quote(str(told))}"
    begin = {"type": "command", "name": "mosaic", "command": command}
    note = {"type": "command", "name": "mosaic-turns", "command": note_into(order.events_file)}
    hooks = {
        "SessionStart": [{"hooks": [begin]}],
        "BeforeAgent": [{"hooks": [note]}],
        "AfterAgent": [{"hooks": [note]}],
    }
    return Launch(
        environment={"GEMINI_CLI_SYSTEM_DEFAULTS_PATH": str(settings)},
        files={
            brief: json.dumps({"hookSpecificOutput": said}) + "\n",
            settings: json.dumps({"hooks": hooks}) + "\n",
        },
    )


def shared_parent(folder: Path) -> Path | None:
    """Return a directory above a folder that its group or everybody may write to, None when there is none."""
    parents = (place for place in folder.absolute().parents if place.exists())
    return next((place for place in parents if place.stat().st_mode & 0o022), None)


GEMINI = Runtime(
    name="gemini",
    start=("gemini",),
    commands=frozenset({"gemini", "node"}),
    proof=Proof.HOOKS,
    model=("--model",),
    yolo=("--yolo",),
    queues=True,
    told=_told,
    told_mark=_TOLD,
)
