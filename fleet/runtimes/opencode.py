"""opencode (seen: 1.18.33)."""

import json

from fleet.runtimes.runtime import Hatch, Launch, Order, Proof, Runtime
from fleet.runtimes.scripts import script

_HATCH = Hatch(way="plugin", folder="hatch")
_SCREENS_CONFIGURATION = "OPENCODE_TUI_CONFIG"


def _told(order: Order) -> Launch:
    """Give it its prompt, a plugin that notes its turns and one for its screen, beside a person's own configuration."""
    plugin = order.folder / "turns.js"
    config = {"instructions": [str(order.prompt_file)], "plugin": [plugin.as_uri()]}
    environment = {"OPENCODE_CONFIG_CONTENT": json.dumps(config)}
    files = {plugin: script("opencode_turns.js", order.events_file)}
    if _SCREENS_CONFIGURATION in order.agent.env or _SCREENS_CONFIGURATION in order.agent.env_from:
        return Launch(environment=environment, files=files)  # there can be one only: theirs wins
    hatch = order.folder / _HATCH.folder
    screens = hatch / "tui.json"
    environment[_SCREENS_CONFIGURATION] = str(screens)
    files[screens] = json.dumps({"plugin": [(hatch / "hatch.js").as_uri()]})
    files[hatch / "hatch.js"] = script("opencode_hatch.js", hatch, "FOLDER")
    return Launch(environment=environment, files=files)


OPENCODE = Runtime(
    name="opencode",
    start=("opencode",),
    commands=frozenset({"opencode", "node"}),
    proof=Proof.HOOKS,
    model=("--model",),
    yolo=("--auto",),
    told=_told,
    hatch=_HATCH,
    queues=True,
)
