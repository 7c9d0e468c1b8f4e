"""The tmux sockets of one installation, each with its terminal, for as long as the roster names them."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from fleet.tmux.panes import Pane
from fleet.tmux.terminal import Terminal

Socket = str | None
"""A socket's name; None is tmux's default one."""


class Terminals:
    """One ``Terminal`` a socket; ``owner`` and ``texts`` as in ``Terminal``."""

    def __init__(self, environment: Mapping[str, str], owner: str, texts: Path) -> None:
        self._environment = environment
        self._owner = owner
        self._texts = texts
        self._by_socket: dict[Socket, Terminal] = {}
        self._seen: dict[tuple[Terminal, str], str] = {}

    def __iter__(self) -> Iterator[Terminal]:
        return iter(tuple(self._by_socket.values()))

    def on(self, socket: Socket, holder: str) -> Terminal:
        """Return the terminal on a socket, the same one every time."""
        if socket not in self._by_socket:
            self._by_socket[socket] = Terminal(
                socket,
                environment=self._environment,
                owner=self._owner,
                holder=holder,
                texts=self._texts,
            )
        return self._by_socket[socket]

    async def pane_of(self, terminal: Terminal, session: str) -> Pane | None:
        """Return the first pane of a session, None when there is none; where it was last is asked first."""
        if (known := self._seen.get((terminal, session))) is not None:
            pane = await terminal.pane(known)
            if pane is not None and pane.session == session:
                return pane
        panes = {pane.session: pane for pane in reversed(await terminal.panes())}
        here = {key: seen for key, seen in self._seen.items() if key[0] is not terminal}
        self._seen = here | {(terminal, name): pane.id for name, pane in panes.items()}
        return panes.get(session)

    async def leave(self, used: Collection[Socket]) -> None:
        """End our own sessions on sockets that nobody uses any more; other people's stay."""
        for socket in self._by_socket.keys() - used:
            terminal = self._by_socket.pop(socket)
            self._seen = {key: seen for key, seen in self._seen.items() if key[0] is not terminal}
            await terminal.release_line()
            await terminal.close_server()

    async def hold_lines(self) -> None:
        """Look at every socket over one connection that stays, from now on."""
        for terminal in self:
            await terminal.hold_line()

    async def release_lines(self) -> None:
        """Give these connections up; harmless when there are none."""
        for terminal in self:
            await terminal.release_line()
