"""The agent programs as small values: how one starts, what it is called in tmux, what proves a turn."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fleet.roster import Agent


class Proof(StrEnum):
    """What says that a message arrived: the runtime's own events, or else only the screen."""

    EVENTS = "events"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class Runtime:
    """One agent program.

    ``start`` is its own start line, ``commands`` are the names under which tmux shows it (empty: any),
    ``model`` and ``yolo`` the words that set them. A ``full_screen`` one may show a draft on the row above
    the cursor too.
    """

    name: str
    start: tuple[str, ...]
    commands: frozenset[str]
    proof: Proof = Proof.SCREEN
    heartbeat: bool = False
    full_screen: bool = True
    model: tuple[str, ...] = ()
    yolo: tuple[str, ...] = ()

    def command_line(self, agent: Agent) -> tuple[str, ...]:
        """Return the program and arguments with which an agent is started."""
        if agent.command is not None:
            return (*shlex.split(agent.command), *agent.args)
        model = (
            () if agent.model_hint is None or not self.model else (*self.model, agent.model_hint)
        )
        yolo = self.yolo if agent.yolo else ()
        return (*self.start, *model, *yolo, *agent.args)

    def shows_as(self, command: str) -> bool:
        """Whether tmux names this program so (a python may carry its version)."""
        if not self.commands:
            return True
        return command in self.commands or (
            "python" in self.commands and command.startswith("python")
        )


_CODEX_YOLO = "--dangerously-bypass-approvals-and-sandbox"

RUNTIMES: Mapping[str, Runtime] = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            name="dogfood",
            start=(sys.executable, "-P", "-m", "fleet.dogfood"),
            commands=frozenset({"python"}),
            proof=Proof.EVENTS,
            heartbeat=True,
        ),
        Runtime(
            name="claude",
            start=("claude",),
            commands=frozenset({"claude", "node"}),
            model=("--model",),
            yolo=("--dangerously-skip-permissions",),
        ),
        Runtime(
            name="codex",
            start=("codex",),
            commands=frozenset({"codex", "node"}),
            model=("--model",),
            yolo=(_CODEX_YOLO,),
        ),
        Runtime(
            name="opencode",
            start=("opencode",),
            commands=frozenset({"opencode", "node"}),
            model=("--model",),
        ),
        Runtime(name="pi", start=("pi",), commands=frozenset({"pi", "node"}), model=("--model",)),
        Runtime(
            name="gemini",
            start=("gemini",),
            commands=frozenset({"gemini", "node"}),
            model=("--model",),
            yolo=("--yolo",),
        ),
        Runtime(
            name="python",
            start=("python3", "-q"),
            commands=frozenset({"python"}),
            full_screen=False,
        ),
        Runtime(
            name="bash",
            start=("bash", "--norc", "-i"),
            commands=frozenset({"bash"}),
            full_screen=False,
        ),
        Runtime(name="generic", start=(), commands=frozenset()),
    )
}
