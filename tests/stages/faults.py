"""The stages on which connectors are made to suffer: a platform in memory, a console's line, a homeserver's wire."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.errors import TransientError
from bot.model import Address, Inbound, OutboundMessage
from connectors.faults import Fault
from connectors.matrix.connector import MatrixConnector
from connectors.memory import KIND, MemoryConnector, MemoryPlatform
from connectors.tmux.connector import PLACE, TmuxConnector
from tests.contract.test_connector_matrix import MatrixStage
from tests.contract.test_connector_memory import ANN, MemoryStage
from tests.contract.test_connector_tmux import ConsoleStage
from tests.fakes.console_server import ConsoleServer, WebSocketLine
from tests.stages.bad_line import BadLine
from tests.stages.line import Line
from tests.stages.matrix import Bot
from tests.stages.synapse import Person

_STORM = 4
_FAR = timedelta(days=20_000)
_PAUSE = 0.02


class Skewed:
    """A clock that is right until it is told to be far off, in turns to both sides."""

    def __init__(self) -> None:
        self.wrong = False
        self.struck = 0
        self._numbers = 0

    def __call__(self) -> datetime:
        self._numbers += 1
        self.struck += self.wrong
        off = (_FAR if self._numbers % 2 else -_FAR) if self.wrong else timedelta()
        return datetime.now(UTC) + off


class BadPlatform(MemoryPlatform):
    """A platform in memory that misbehaves on command."""

    def __init__(self) -> None:
        self.clock = Skewed()
        super().__init__(self.clock)
        self.fault: Fault | None = None
        self.refused: Counter[str] = Counter()
        self.struck = 0

    async def travel(self) -> None:
        if self.fault is Fault.SLOW:
            self.struck += 1
            await asyncio.sleep(_PAUSE)

    def show(self, message: OutboundMessage, file: bytes | None = None) -> str:
        self._refuse(message.to.place)
        if self.fault is Fault.CUT_AFTER_ACCEPT and self._strikes(message.to.place):
            self.lose_answers = 1
        if self.fault is Fault.DUPLICATE:
            super().show(message, file)
        return super().show(message, file)

    async def read(self, since: int) -> tuple[tuple[Inbound, ...], int]:
        self._refuse("read")
        early = max(0, since - 3) if self.fault is Fault.DUPLICATE else since
        events, position = await super().read(since)
        if early < since:
            self.struck += 1
            events = (*(await super().read(early))[0], *events)
        if self.fault is Fault.REORDER:
            turned = tuple(sorted(events, key=lambda event: event.source.place, reverse=True))
            self.struck += turned != events
            events = turned
        if self.fault is Fault.CUT_AFTER_ACCEPT and self._strikes("read"):
            raise TransientError("the line broke in the middle of an answer")
        return events, position

    def _refuse(self, what: str) -> None:
        limits = {
            Fault.ERROR_STORM: None,
            Fault.LIMIT_WITH_BODY: timedelta(milliseconds=20),
            Fault.LIMIT_WITHOUT_BODY: None,
        }
        if self.fault in limits and self._strikes(what):
            raise TransientError("not now", retry_after=limits[self.fault])

    def _strikes(self, what: str) -> bool:
        self.refused[what] += 1
        self.struck += self.refused[what] <= _STORM
        return self.refused[what] <= _STORM


class MemoryFaultStage(MemoryStage):
    """Two places in memory."""

    impossible: dict[Fault, str] = {}  # noqa: RUF012 - none

    def __init__(self) -> None:
        super().__init__()
        self.bad = BadPlatform()
        self.platform = self.bad
        self.connector = MemoryConnector(self.bad, self.contents)
        self.places = (self.place, Address(KIND, "other"))

    async def strike(self, fault: Fault) -> None:
        self.bad.fault, self.bad.clock.wrong = fault, fault is Fault.SKEW
        self.bad.refused.clear()
        self.bad.struck = self.bad.clock.struck = 0

    @property
    def struck(self) -> int:
        return self.bad.struck + self.bad.clock.struck

    async def relent(self) -> None:
        self.bad.fault, self.bad.clock.wrong = None, False

    async def speak_in(self, place: Address, text: str) -> str:
        return self.platform.speak(place.place, ANN, text)

    async def seen_in(self, place: Address) -> Sequence[str]:
        ours = [one for one in self.platform.standing if one.message]
        return [one.text for one in ours if one.place == place.place]


class BadConsoleLine(WebSocketLine):
    """A console's line on which frames come twice, late, or not at all."""

    def __init__(self, socket: web.WebSocketResponse, server: "BadConsoleServer") -> None:
        super().__init__(socket)
        self._server = server
        self._wire = socket

    async def push(self, frame: dict[str, Any]) -> None:
        await self._server.dawdle()
        for _ in range(self._server.times()):
            await super().push(frame)

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        async for frame in super().frames():
            await self._server.dawdle()
            if self._cuts(frame, "shown"):
                await self._wire.close()  # it was shown, and nobody says so
                return
            for _ in range(self._server.times()):
                yield frame
            if self._cuts(frame, "line"):
                await self._wire.close()  # it was heard, and nobody says so
                return

    def _cuts(self, frame: dict[str, Any], sort: str) -> bool:
        cutting = self._server.fault is Fault.CUT_AFTER_ACCEPT and frame.get("frame") == sort
        return cutting and self._server.strikes(sort)


class BadConsoleServer(ConsoleServer):
    """The daemon's door for consoles, with refusals."""

    def __init__(self, path: Path, consoles: TmuxConnector) -> None:
        super().__init__(path, consoles)
        self.fault: Fault | None = None
        self.refused: Counter[str] = Counter()
        self.struck = 0

    async def strike(self, fault: Fault) -> None:
        self.refused.clear()
        self.struck = 0
        self.fault = fault
        if fault in {Fault.ERROR_STORM, Fault.LIMIT_WITH_BODY, Fault.LIMIT_WITHOUT_BODY}:
            for socket in tuple(self._sockets):  # whoever is in has to come again
                await socket.close()

    def strikes(self, sort: str) -> bool:
        self.refused[sort] += 1
        self.struck += self.refused[sort] <= _STORM
        return self.refused[sort] <= _STORM

    def times(self) -> int:
        self.struck += self.fault is Fault.DUPLICATE
        return 2 if self.fault is Fault.DUPLICATE else 1

    async def dawdle(self) -> None:
        if self.fault is Fault.SLOW:
            self.struck += 1
            await asyncio.sleep(_PAUSE)

    def _line(self, socket: web.WebSocketResponse) -> WebSocketLine:
        return BadConsoleLine(socket, self)

    async def _attend(self, request: web.Request) -> web.WebSocketResponse:
        if self.fault is Fault.ERROR_STORM and self.strikes("door"):
            raise web.HTTPInternalServerError
        if self.fault is Fault.LIMIT_WITH_BODY and self.strikes("door"):
            raise web.HTTPTooManyRequests(text='{"retry_after_ms": 50}')
        if self.fault is Fault.LIMIT_WITHOUT_BODY and self.strikes("door"):
            raise web.HTTPTooManyRequests(headers={"Retry-After": "1"}, body=b"")
        return await super()._attend(request)


class ConsoleFaultStage(ConsoleStage):
    """One console on a line that can be bad."""

    impossible = {Fault.REORDER: "a console is one place, and its line one ordered stream"}  # noqa: RUF012

    def __init__(self, path: Path) -> None:
        self.clock = Skewed()
        super().__init__(path)
        self.places = (PLACE,)
        self._bad = BadConsoleServer(path, self._tmux)
        self._server = self._bad

    def make(self) -> TmuxConnector:
        return TmuxConnector(patience=timedelta(milliseconds=500), now=self.clock)

    async def strike(self, fault: Fault) -> None:
        self.clock.wrong, self.clock.struck = fault is Fault.SKEW, 0
        await self._bad.strike(fault)

    @property
    def struck(self) -> int:
        return self._bad.struck + self.clock.struck

    async def relent(self) -> None:
        self.clock.wrong, self._bad.fault = False, None

    async def speak_in(self, place: Address, text: str) -> str:
        return await self.speak(text)

    async def seen_in(self, place: Address) -> Sequence[str]:
        return [one.text for one in await self.standing()]


class MatrixFaultStage(MatrixStage):
    """Two rooms on a real homeserver behind a line that can be bad on the wire."""

    impossible: dict[Fault, str] = {}  # noqa: RUF012 - none

    def __init__(self, person: Person, bot: Bot, line: Line, bad: BadLine, other: str) -> None:
        self.bad = bad
        super().__init__(person, bot, line)
        self.places = (self.place, Address("matrix", other))

    async def strike(self, fault: Fault) -> None:
        self.bad.strike(fault)

    @property
    def struck(self) -> int:
        return self.bad.struck

    async def relent(self) -> None:
        self.bad.relent()

    async def speak_in(self, place: Address, text: str) -> str:
        return await self._person.say(place.place, text)

    async def seen_in(self, place: Address) -> Sequence[str]:
        said = await self._person.spoken(place.place, self._bot.user_id)
        return [str(content["body"]) for content in said if "body" in content]

    def _connect(self) -> MatrixConnector:
        return self._bot.connector(homeserver_url=self.bad.url)
