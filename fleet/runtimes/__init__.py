"""The agent programs (spec 6-runtimes), each in a file of its own."""

from collections.abc import Mapping

from fleet.runtimes.claude import CLAUDE
from fleet.runtimes.codex import CODEX
from fleet.runtimes.gemini import GEMINI
from fleet.runtimes.opencode import OPENCODE
from fleet.runtimes.pi import PI
from fleet.runtimes.plain import BASH, DOGFOOD, GENERIC, PYTHON
from fleet.runtimes.runtime import Hatch, Launch, Order, Proof, Runtime

__all__ = ["RUNTIMES", "Hatch", "Launch", "Order", "Proof", "Runtime"]

RUNTIMES: Mapping[str, Runtime] = {
    runtime.name: runtime
    for runtime in (DOGFOOD, CLAUDE, CODEX, OPENCODE, PI, GEMINI, PYTHON, BASH, GENERIC)
}
