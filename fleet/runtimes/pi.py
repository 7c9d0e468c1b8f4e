"""pi (seen: 0.74.2)."""

import json
from importlib.resources import files

from fleet.runtimes.runtime import Launch, Order, Proof, Runtime


def _told(order: Order) -> Launch:
    """Give it an extension that notes its turns, with the file where to note them in its first line."""
    extension = order.folder / "turns.js"
    source = files("fleet.runtimes").joinpath("pi_turns.js").read_text(encoding="utf-8")
    return Launch(
        ("--append-system-prompt", str(order.prompt_file), "--extension", str(extension)),
        files={extension: f"const FILE = {json.dumps(str(order.events_file))};\n{source}"},
    )


PI = Runtime(
    name="pi",
    start=("pi",),
    commands=frozenset({"pi", "node"}),
    proof=Proof.HOOKS,
    model=("--model",),
    told=_told,
    queues=True,
)
