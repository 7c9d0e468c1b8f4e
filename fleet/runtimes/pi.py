"""pi (seen: 0.74.2)."""

from fleet.runtimes.runtime import Launch, Order, Runtime


def _told(order: Order) -> Launch:
    return Launch(("--append-system-prompt", str(order.prompt_file)))


PI = Runtime(
    name="pi",
    start=("pi",),
    commands=frozenset({"pi", "node"}),
    model=("--model",),
    queues=True,
    told=_told,
)
