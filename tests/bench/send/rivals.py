"""How public tools type into panes: blind. None of them can say whether a message arrived."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from libtmux import Pane, Server

from tests.bench.send.truth import Sent

Type = Callable[[str, str], None]
"""Types a text into an agent's pane and presses Enter."""


def text_of(sent: Sent) -> str:
    """Return what is typed: the same words as ours, in one line, which is the best case for whoever is blind."""
    header = f"[from bench:bench → to bench:{sent.agent} | class chat | id {sent.id}]"
    return f"{header} {sent.body} [end {sent.id}]"


@dataclass(frozen=True, slots=True)
class Rival:
    """One way of typing, by so many threads at once (each pane belongs to one of them)."""

    name: str
    type: Type
    threads: int = 1

    def send(self, messages: Sequence[Sent]) -> Sequence[Sent]:
        """Type all messages and return them with when each was begun."""
        order = {agent: at for at, agent in enumerate(dict.fromkeys(one.agent for one in messages))}
        lanes = [
            [sent for sent in messages if order[sent.agent] % self.threads == lane]
            for lane in range(self.threads)
        ]
        with ThreadPoolExecutor(self.threads) as pool:
            done = pool.map(lambda lane: [self._send(sent) for sent in lane], lanes)
            return [sent for lane in done for sent in lane]

    def _send(self, sent: Sent) -> Sent:
        begun_at = datetime.now(UTC)
        self.type(sent.agent, text_of(sent))
        return sent.timed(begun_at, None)


class SendKeys:
    """``tmux send-keys`` by a process."""

    def __init__(self, socket_name: str) -> None:
        self._tmux = ("tmux", "-L", socket_name)

    def two_calls(self, agent: str, text: str) -> None:
        """Type and press Enter by a process each, as most tools do."""
        self._call("send-keys", "-t", agent, "-l", text)
        self._call("send-keys", "-t", agent, "Enter")

    def one_call(self, agent: str, text: str) -> None:
        """Do both by one process, which is the least that it takes."""
        self._call("send-keys", "-t", agent, "-l", text, ";", "send-keys", "-t", agent, "Enter")

    def _call(self, *words: str) -> None:
        subprocess.run([*self._tmux, *words], check=True, capture_output=True)


class Libtmux:
    """libtmux's own objects, made once; they are only read by whoever types."""

    def __init__(self, socket_name: str) -> None:
        self._server = Server(socket_name=socket_name)
        self._panes: Mapping[str, Pane] = {
            str(pane.session_name): pane for pane in self._server.panes
        }

    def looked_up(self, agent: str, text: str) -> None:
        """Find the session by its name every time, as the library's documentation shows it."""
        session = self._server.sessions.get(session_name=agent)
        assert session is not None
        pane = session.active_pane
        assert pane is not None
        pane.send_keys(text, literal=True)

    def kept(self, agent: str, text: str) -> None:
        """Type into a pane object that was found once and kept."""
        self._panes[agent].send_keys(text, literal=True)


def rivals(socket_name: str) -> Sequence[Rival]:
    """Return all of them, for the agents that are there now; the last two are each at their best."""
    keys, library = SendKeys(socket_name), Libtmux(socket_name)
    return (
        Rival("tmux send-keys, two calls", keys.two_calls),
        Rival("libtmux, pane looked up", library.looked_up),
        Rival("libtmux, pane kept", library.kept),
        Rival("tmux send-keys, one call, 4 threads", keys.one_call, 4),
        Rival("libtmux, pane kept, 4 threads", library.kept, 4),
    )
