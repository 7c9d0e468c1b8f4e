"""Programs without a model: the one that ships with the package, interpreters, and whatever a roster names."""

import sys

from fleet.runtimes.runtime import Proof, Runtime

DOGFOOD = Runtime(
    name="dogfood",
    start=(sys.executable, "-P", "-m", "fleet.dogfood"),
    commands=frozenset({"python"}),
    proof=Proof.EVENTS,
    heartbeat=True,
    queues=True,
)
PYTHON = Runtime(
    name="python",
    start=("python3", "-q"),
    commands=frozenset({"python"}),
    full_screen=False,
    interrupt="C-c",
)
BASH = Runtime(
    name="bash",
    start=("bash", "--norc", "-i"),
    commands=frozenset({"bash"}),
    full_screen=False,
    interrupt="C-c",
)
GENERIC = Runtime(name="generic", start=(), commands=frozenset())
