"""The port Sessions over the fleet in memory: every screen is a dogfood's empty prompt."""

from collections.abc import Sequence

from bot.agents.sessions import Check, DialogKey, Scene, Way
from bot.errors import UserError
from tests.fakes.fleet import HOST, MemoryFleet


class MemoryDialogs:
    """The port Dialogs: nobody ever shows one."""

    def __init__(self, fleet: MemoryFleet) -> None:
        self._sessions = MemorySessions(fleet)

    async def answer(self, name: str, key: DialogKey, *, dialog: str | None = None) -> Scene:
        del dialog  # which one, where there is none
        scene = await self._sessions.scene(name, 1)
        raise UserError(f"{name} shows no dialog: {key} at a {scene.state}", code="no_dialog")


class MemorySessions:
    """Agents that run have a session; all is well with them."""

    def __init__(self, fleet: MemoryFleet) -> None:
        self._fleet = fleet

    async def scene(self, name: str, rows: int) -> Scene:
        pane_id = await self._pane(name)
        shown = ("dogfood ❯",)[-rows:]  # noqa: RUF001 - its glyph
        return Scene(name, name, pane_id, "prompt", None, None, shown)

    async def way(self, name: str) -> Way:
        await self._pane(name)
        return Way(name, HOST, "mosaic-test", name)

    async def verify(self, name: str | None) -> Sequence[Check]:
        names = self._fleet._names(name)
        records = {record.name: record for record in await self._fleet.observe()}
        return [
            Check(one, "session", records[one].session is not None, str(records[one].pane_id))
            for one in names
        ]

    async def _pane(self, name: str) -> str:
        self._fleet._names(name)
        records = {record.name: record for record in await self._fleet.observe()}
        pane_id = records[name].pane_id
        if pane_id is None:
            raise UserError(f"{name} is not running", code="dead", hint=f"fleet start {name}")
        return pane_id
