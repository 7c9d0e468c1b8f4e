"""An agent program as a small value: how one starts, what it is called in tmux, what proves a turn."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from fleet.roster.document import Agent


class Proof(StrEnum):
    """What says that a message arrived.

    The runtime's own events, always; its hooks, or the screen where they are silent (a person may have
    switched hooks off); or only the screen.
    """

    EVENTS = "events"
    HOOKS = "hooks"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True)
class Order:
    """What one start is made from. ``prompt`` stands in ``prompt_file``; ``folder`` is for files of ours.

    What its program says of its turns goes into ``events_file``. All of them lie in the home of the
    installation: a person's own configuration is read by nobody here.
    """

    agent: Agent
    prompt: str
    prompt_file: Path
    folder: Path
    events_file: Path


@dataclass(frozen=True, slots=True)
class Launch:
    """How a program is started: its words, what its environment has beside the agent's, files made before."""

    words: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hatch:
    """A program's own way to take a message, which leaves its keyboard and any draft alone.

    ``way`` is what receipts call it. A plugin of ours takes what is put into ``folder``, in the order's folder
    (fleet.handover), and what it takes stands in the events file like any other prompt.
    """

    way: str
    folder: str


def _says_nothing(order: Order) -> Launch:  # noqa: ARG001 - the signature of all
    return Launch()


@dataclass(frozen=True, slots=True)
class Runtime:
    """One agent program.

    ``start`` is its own start line, ``commands`` are the names under which tmux shows it (empty: any),
    ``model`` and ``yolo`` the words that set them, ``told`` is how it gets its prompt. Where it fetches the
    prompt only after it has drawn its own, ``told_mark`` is the file in the order's folder that is there from
    then on. A ``full_screen`` one may show a draft on the row above the cursor too. One that ``queues`` takes a
    message while it works, and ``interrupt`` is the key (tmux's name of it) that ends its turn. ``settle`` is
    how long a text must stand in its prompt before Enter: at once some programs swallow it (docs/adr/0026).
    Where there is no ``hatch`` every message is typed.
    """

    name: str
    start: tuple[str, ...]
    commands: frozenset[str]
    proof: Proof = Proof.SCREEN
    heartbeat: bool = False
    full_screen: bool = True
    queues: bool = False
    settle: timedelta = timedelta(milliseconds=300)
    interrupt: str = "Escape"
    model: tuple[str, ...] = ()
    yolo: tuple[str, ...] = ()
    told: Callable[[Order], Launch] = _says_nothing
    told_mark: str | None = None
    hatch: Hatch | None = None

    def launch(self, order: Order) -> Launch:
        """Return how an agent is started. A command in the roster replaces all words but its ``args``."""
        agent, told = order.agent, self.told(order)
        if agent.command is not None:
            words = (*shlex.split(agent.command), *agent.args)
        else:
            named = agent.model_hint is not None and bool(self.model)
            model = (*self.model, agent.model_hint or "") if named else ()
            yolo = self.yolo if agent.yolo else ()
            words = (*self.start, *model, *yolo, *told.words, *agent.args)
        return Launch(words, told.environment, told.files)

    def shows_as(self, command: str) -> bool:
        """Whether tmux names this program so (a python may carry its version)."""
        if not self.commands:
            return True
        return command in self.commands or (
            "python" in self.commands and command.startswith("python")
        )
