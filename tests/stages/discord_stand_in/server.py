"""The stand-in as a server on loopback, with people who speak there."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.stages.discord_stand_in.gateway import Gateway
from tests.stages.discord_stand_in.interactions import Interactions
from tests.stages.discord_stand_in.mischief import Mischief
from tests.stages.discord_stand_in.payloads import Payload, User
from tests.stages.discord_stand_in.rest import API, LARGEST_REQUEST, Rest
from tests.stages.discord_stand_in.world import World


class StandIn:
    """One server on a port of its own, from ``open`` to ``close``.

    ``world`` is what stands there, ``mischief`` what goes wrong, ``gateway`` the door for bots' sockets,
    ``interactions`` what people touch.
    """

    def __init__(self) -> None:
        self.mischief = Mischief()
        self.gateway = Gateway(self.mischief)
        self.world = World(self.gateway.emit)
        self.world.now = self.mischief.now
        self.rest = Rest(self.world, self.mischief)
        self.interactions = Interactions(self.world, self.mischief)
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{API}"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    async def open(
        self, port: int = 0, add: Callable[[web.Application], None] | None = None
    ) -> None:
        """Serve from now on; ``add`` adds routes of somebody else's."""
        application = web.Application(client_max_size=LARGEST_REQUEST)
        if add is not None:
            add(application)
        self.rest.add_to(application)
        self.interactions.add_to(application, API)
        application.router.add_get("/gateway", self._attend)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        self.gateway.abort()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _attend(self, request: web.Request) -> web.StreamResponse:
        return await self.gateway.attend(request, self.world)

    # -- people ----------------------------------------------------------------------------------------

    def speak(self, person: User, channel_id: str, text: str, **more: Any) -> Payload:
        """Let a person say something; ``more`` are further keys of the message, ``files`` among them."""
        files = more.pop("files", None)
        return self.world.say(person, channel_id, {"content": text, **more}, files)

    def speak_below(self, person: User, channel_id: str, root: str, text: str) -> Payload:
        """Let a person say something in the thread of a message, which begins with it if need be."""
        if root not in self.world.channels:
            self.world.begin_thread(person, channel_id, root, "a thread")
        return self.speak(person, root, text)
