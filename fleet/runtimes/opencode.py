"""opencode (seen: 1.18.33)."""

import json

from fleet.runtimes.runtime import Launch, Order, Proof, Runtime
from fleet.runtimes.scripts import script


def _told(order: Order) -> Launch:
    """Give it its prompt and a plugin that notes its turns, both beside a person's own configuration."""
    plugin = order.folder / "turns.js"
    config = {"instructions": [str(order.prompt_file)], "plugin": [plugin.as_uri()]}
    return Launch(
        environment={"OPENCODE_CONFIG_CONTENT": json.dumps(config)},
        files={plugin: script("opencode_turns.js", order.events_file)},
    )


OPENCODE = Runtime(
    name="opencode",
    start=("opencode",),
    commands=frozenset({"opencode", "node"}),
    proof=Proof.HOOKS,
    model=("--model",),
    yolo=("--auto",),
    told=_told,
    queues=True,
)
