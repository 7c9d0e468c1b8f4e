"""Programs without a model: the one that ships with the package, interpreters, and whatever a roster names."""

import sys
from datetime import timedelta

from fleet.runtimes.runtime import Proof, Runtime

_AT_ONCE = timedelta(0)
"""For programs that read what was typed in its order, one thing after the other."""

DOGFOOD = Runtime(
    name="dogfood",
    start=(sys.executable, "-P", "-m", "fleet.dogfood"),
    commands=frozenset({"python"}),
    proof=Proof.EVENTS,
    heartbeat=True,
    queues=True,
    settle=_AT_ONCE,
)
PYTHON = Runtime(
    name="python",
    start=("python3", "-q"),
    commands=frozenset({"python"}),
    full_screen=False,
    settle=_AT_ONCE,
    interrupt="C-c",
)
BASH = Runtime(
    name="bash",
    start=("bash", "--norc", "-i"),
    commands=frozenset({"bash"}),
    full_screen=False,
    settle=_AT_ONCE,
    interrupt="C-c",
)
GENERIC = Runtime(name="generic", start=(), commands=frozenset())
