"""What can be asked over HTTP; docs/reference/http.md is made from ``ROUTES``."""

import json
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import WSCloseCode, web

from bot.asked import Yes
from bot.command.catalog import Command
from bot.command.declare import Call
from bot.command.interpreter import Interpreter
from bot.errors import UsageError, UserError
from bot.model import Via
from bot.policy import ATTEND, LIST_COMMANDS, STATUS, STOP
from bot.ports import Consoles
from bot.reply import Reply, to_json
from web.body import RunRequest, StopRequest, read_body, read_object
from web.console import WebSocketLine
from web.identity import Identity
from web.problems import WEBSOCKET

_FRAME_BYTES = 1024 * 1024
_PING_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked, as the reference shows it; ``handler`` names the method that answers."""

    method: str
    path: str
    handler: str
    summary: str
    takes: str = ""
    answers: str = ""


ROUTES = (
    Route("GET", "/v1/health", "health", "Tells that the daemon is alive; asks for no right.", "",
          '`{"status": "ok"}`'),
    Route("GET", "/v1/status", "status", "The daemon and its parts.", "",
          "the object of `mosaic status --json`"),
    Route("GET", "/v1/commands", "commands", "Every command with its JSON schema, roles and usage.", "",
          '`{"commands": [{"name", "also", "summary", "details", "roles", "effect", "confirm", "usage",'
          ' "schema"}]}`'),
    Route("POST", "/v1/commands/{name}", "command", "Runs a command with named arguments. The words of its"
          " name are divided by `/`. `?confirm=true` is the yes that a destructive command asks for;"
          " with `&preview_id=…` of the question it is to what was shown.",
          "the arguments, as the command's schema says", '`{"data", "blocks"}`'),
    Route("POST", "/v1/run", "run", "Runs a command from its words, as a shell has split them.",
          '`{"words": ["backlog", "show", "A1"], "confirmed": false}`', '`{"data", "blocks"}`'),
    Route("POST", "/v1/stop", "stop", "Stops the daemon, with or without the agents.",
          '`{"keep_agents": false}`', '`{"data": {"stopping": true, "keep_agents"}, "blocks": []}`'),
    Route("GET", "/v1/console", "console", "The operator's console: a WebSocket whose messages are JSON"
          " objects.", "frames", "frames"),
)  # fmt: skip


class Routes:
    """Answers requests: who asks, what is asked, one call into the interpreter."""

    def __init__(
        self,
        identity: Identity,
        interpreter: Interpreter,
        consoles: Consoles | None,
        status: Callable[[], Mapping[str, Any]],
        shutdown: Callable[[bool], None],
    ) -> None:
        self._identity = identity
        self._interpreter = interpreter
        self._consoles = consoles
        self._status = status
        self._shutdown = shutdown
        self._attended: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    def add_to(self, application: web.Application) -> None:
        """Put the routes into an application, and let it hang up on consoles when it stops."""
        for route in ROUTES:
            path = route.path.replace("{name}", "{name:.+}")
            application.router.add_route(route.method, path, getattr(self, route.handler))
        application.on_shutdown.append(self._hang_up)

    async def health(self, _request: web.Request) -> web.Response:
        """Answer that the daemon is alive."""
        return _json({"status": "ok"})

    async def status(self, request: web.Request) -> web.Response:
        """Answer how the daemon and its parts are."""
        await self._permit(request, STATUS, Via.HTTP)
        return _json(dict(self._status()))

    async def commands(self, request: web.Request) -> web.Response:
        """Answer which commands there are."""
        await self._permit(request, LIST_COMMANDS, Via.HTTP)
        known = self._interpreter.catalog.commands.values()
        return _json({"commands": [_describe(command) for command in known]})

    async def command(self, request: web.Request) -> web.Response:
        """Run a command with named arguments."""
        call = await self._identity.call(request, Via.HTTP)
        name = " ".join(request.match_info["name"].replace("/", " ").split())
        values = await read_object(request)
        confirmed = request.query.get("confirm") == "true"
        yes = Yes(request.query.get("preview_id")) if confirmed else None
        return _answer(await self._interpreter.run_named(name, values, call, yes))

    async def run(self, request: web.Request) -> web.Response:
        """Run a command from its words."""
        call = await self._identity.call(request, Via.CLI)
        asked = await read_body(request, RunRequest)
        return _answer(await self._interpreter.run_words(asked.words, call, asked.yes))

    async def stop(self, request: web.Request) -> web.Response:
        """Stop the daemon; the answer goes out before it ends."""
        await self._permit(request, STOP, Via.HTTP)
        asked = await read_body(request, StopRequest)
        self._shutdown(asked.keep_agents)
        return _answer(Reply({"stopping": True, "keep_agents": asked.keep_agents}))

    async def console(self, request: web.Request) -> web.StreamResponse:
        """Connect an operator's console with whoever serves consoles."""
        call = await self._permit(request, ATTEND, Via.CONSOLE)
        if self._consoles is None:
            raise UserError("this daemon serves no consoles", code="not_found")
        socket = web.WebSocketResponse(heartbeat=_PING_SECONDS, max_msg_size=_FRAME_BYTES)
        if not socket.can_prepare(request):
            raise UsageError("a console is a WebSocket, and this is none")
        await socket.prepare(request)
        request[WEBSOCKET] = socket
        self._attended.add(socket)
        await self._consoles.attend(call.caller.principal, WebSocketLine(socket))
        await socket.close()
        return socket

    async def _permit(self, request: web.Request, action: str, via: Via) -> Call:
        call = await self._identity.call(request, via)
        decision = await self._interpreter.decide(action, call)
        if not decision.allowed:
            raise UserError(
                f"{action} is refused: {decision.reason}",
                code="forbidden",
                hint=f"rule {decision.rule}",
            )
        return call

    async def _hang_up(self, _application: web.Application) -> None:
        for socket in list(self._attended):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the daemon stops")


def _describe(command: Command) -> dict[str, Any]:
    return {
        "name": command.name,
        "also": list(command.also),
        "summary": command.summary,
        "details": command.details,
        "roles": sorted(command.roles),
        "effect": command.effect,
        "confirm": command.confirm,
        "usage": command.grammar.usage,
        "schema": command.schema,
    }


def _answer(reply: Reply) -> web.Response:
    return _json({"data": reply.data, "blocks": to_json(reply.blocks)})


def _json(document: Mapping[str, Any]) -> web.Response:
    return web.Response(text=json.dumps(document, allow_nan=False), content_type="application/json")
