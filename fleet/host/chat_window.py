"""The window on the fleet's socket in which a person talks."""

from collections.abc import Callable, Mapping, Sequence

from fleet.tmux.panes import Pane
from fleet.tmux.terminal import Terminal


class ChatWindow:
    """A window of ours on the fleet's socket in which a person talks (``@mosaic_role`` chat).

    ``terminal`` is asked for every time: the fleet may move to another socket, and the window follows it.
    ``argv`` is run as it stands; ``environment`` holds plain values only, since anybody on the socket can
    read it.
    """

    def __init__(
        self,
        terminal: Callable[[], Terminal],
        *,
        session: str,
        argv: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self._terminal = terminal
        self._session = session
        self._argv = ["env", *(f"{name}={value}" for name, value in environment.items()), *argv]

    async def open(self) -> Pane:
        """Start the window unless it is there; return its pane."""
        found = await self._pane()
        if found is not None:
            return found
        return await self._terminal().new_session(self._session, self._argv, role="chat")

    async def alive(self) -> bool:
        """Whether the window is there and its program runs."""
        return await self._pane() is not None

    async def close(self) -> None:
        """End the window; harmless when it is gone."""
        await self._terminal().end_session(self._session)

    async def _pane(self) -> Pane | None:
        panes = await self._terminal().panes()
        own = (pane for pane in panes if pane.session == self._session and not pane.dead)
        return next(own, None)
