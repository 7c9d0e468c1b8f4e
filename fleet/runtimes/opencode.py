"""opencode (seen: 1.18.33)."""

import json

from fleet.runtimes.runtime import Launch, Order, Runtime


def _told(order: Order) -> Launch:
    config = {"instructions": [str(order.prompt_file)]}
    return Launch(environment={"OPENCODE_CONFIG_CONTENT": json.dumps(config)})


OPENCODE = Runtime(
    name="opencode",
    start=("opencode",),
    commands=frozenset({"opencode", "node"}),
    model=("--model",),
    yolo=("--auto",),
    queues=True,
    told=_told,
)
