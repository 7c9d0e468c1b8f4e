"""pi (seen: 0.74.2)."""

from fleet.runtimes.runtime import Launch, Order, Proof, Runtime
from fleet.runtimes.scripts import script


def _told(order: Order) -> Launch:
    """Give it its prompt and an extension that notes its turns."""
    extension = order.folder / "turns.js"
    return Launch(
        ("--append-system-prompt", str(order.prompt_file), "--extension", str(extension)),
        files={extension: script("pi_turns.js", order.events_file)},
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
