"""The port Dialogs on this host's tmux: a person's key into a dialog that an agent's program shows."""

import asyncio
from datetime import timedelta

import structlog

from bot.agents.sessions import DialogKey, Scene
from bot.errors import UserError
from bot.supervision.pause import Pauses
from fleet.delivery.keyboard import Look, look_at
from fleet.host.local import Door, LocalFleet
from fleet.host.sessions import LocalSessions
from fleet.lock import held
from fleet.tmux.screen import ScreenState
from fleet.watch.announcements import UNTITLED, fingerprint

_LOCK = timedelta(seconds=5)
_REDRAWN = timedelta(seconds=2)
_LOOK = timedelta(milliseconds=50)
_ROWS = 24


class LocalDialogs:
    """Presses keys where a dialog is open, and nowhere else. Nobody but a person asks for it."""

    def __init__(self, fleet: LocalFleet, pauses: Pauses) -> None:
        self._fleet = fleet
        self._pauses = pauses
        self._sessions = LocalSessions(fleet)
        self._log = structlog.get_logger(part="dialogs")

    async def answer(self, name: str, key: DialogKey, *, dialog: str | None = None) -> Scene:
        """Press one key in an agent's open dialog and return its screen as it is then.

        UserError ``no_dialog`` when none is open, ``other_dialog`` when it is not the one of the fingerprint
        ``dialog``, ``paused`` while a freeze stands, TransientError while something else is typed there. Without
        a fingerprint any dialog will do.
        """
        door = await self._fleet.door(name)
        async with held(self._fleet.places.typing_lock_file(name), _LOCK):
            seen = await look_at(door)
            reading = seen.reading
            if reading.state is not ScreenState.BLOCKED:
                raise UserError(
                    f"{name} shows no dialog: its screen reads as {reading.state}", code="no_dialog"
                )
            title, rows = reading.dialog or UNTITLED, seen.screen.rows
            if dialog not in {None, fingerprint(title, rows)}:
                raise UserError(
                    f"{name} no longer shows the dialog that was announced; no key was pressed",
                    code="other_dialog",
                    hint=f"`agent tail {name}` shows its screen, `agent answer {name} KEY` answers what is there",
                )
            await self._refuse_frozen()
            named = key if len(key) == 1 else key.capitalize()
            if not await door.terminal.press(door.pane.id, named):
                raise UserError(f"{name}: the key was refused by its pane", code="refused")
            self._log.info("dialog answered", agent=name, dialog=reading.dialog, key=key)
        await self._until_redrawn(door, seen)
        return await self._sessions.scene(name, _ROWS)

    async def _refuse_frozen(self) -> None:
        pause = await self._pauses.current()
        if pause is not None and pause.freeze:
            raise UserError(
                f"no key is pressed: {pause.notice()}",
                code="paused",
                hint="`resume` first, or press it in the agent's own pane (`agent attach`)",
            )

    async def _until_redrawn(self, door: Door, before: Look) -> None:
        deadline = asyncio.get_running_loop().time() + _REDRAWN.total_seconds()
        while (await look_at(door)).screen.rows == before.screen.rows:
            if asyncio.get_running_loop().time() > deadline:
                return
            await asyncio.sleep(_LOOK.total_seconds())
