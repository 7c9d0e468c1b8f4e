"""A model's API on loopback that records what programs ask it: the truth of what reached the model.

It speaks just enough of four dialects, streamed and whole: Anthropic's Messages, OpenAI's Responses and Chat
Completions, Google's generateContent. Every question gets the same short answer, but for one that it was told to
answer with a shell command.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

ANSWER = "OK-ACK"
BEGINNING = "a long thought begins\n\n"
_MODEL = "stand-in"
_REASONS = {
    "description": "Make a file",
    "justification": "May I make a file?",
    "sandbox_permissions": "require_escalated",
    "with_escalated_permissions": True,
}
"""What some shells want to be told too: Codex asks its person only if it is asked to leave its sandbox."""
_SHELLS = frozenset({"bash", "shell", "shell_command", "exec_command", "run_shell_command"})


@dataclass(frozen=True, slots=True)
class _Call:
    """A tool that a program is asked to use."""

    id: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an API answers instead of a model."""

    status: int
    body: Mapping[str, Any]


class ModelStandIn:
    """What was asked, in order: the path and the body of each request that a model would answer.

    It thinks for as long as ``answers`` is not set, and (in Anthropic's dialect) says no more than ``BEGINNING``
    as long as ``goes_on`` is not; with a ``refusal`` it answers nothing else. ``order`` is a shell command that it
    asks the next program to run that offers a shell, once.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.url = ""
        self.order: str | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        self.refusal: Refusal | None = None

    def texts(self) -> list[str]:
        """Return the bodies of all requests."""
        return [body for _, body in self.asked]

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        body = await self._note(request)
        call = self._call(body.get("tools", []))
        content: dict[str, Any] = {"type": "text", "text": ANSWER}
        empty, delta = content | {"text": ""}, {"type": "text_delta", "text": ANSWER}
        if call is not None:
            content = {
                "type": "tool_use",
                "id": call.id,
                "name": call.name,
                "input": call.arguments,
            }
            empty = content | {"input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(call.arguments)}
        reason = "end_turn" if call is None else "tool_use"
        usage = {"input_tokens": 10, "output_tokens": 5}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": _MODEL}
        whole = message | {"content": [content], "stop_reason": reason, "usage": usage}
        if not body.get("stream"):
            return web.json_response(whole)
        start: dict[str, Any] = message | {"content": [], "stop_reason": None, "usage": usage}
        begin: list[tuple[str, dict[str, Any]]] = [
            ("message_start", {"message": start}),
            ("content_block_start", {"index": 0, "content_block": empty}),
        ]
        if not self.goes_on.is_set():
            thought = {"index": 0, "delta": {"type": "text_delta", "text": BEGINNING}}
            begun = [*begin, ("content_block_delta", thought)]
            return await _send(request, _lines(begun), until=self.goes_on)
        return await _stream(
            request,
            [
                *begin,
                ("content_block_delta", {"index": 0, "delta": delta}),
                ("content_block_stop", {"index": 0}),
                ("message_delta", {"delta": {"stop_reason": reason}, "usage": usage}),
                ("message_stop", {}),
            ],
        )

    async def _responses(self, request: web.Request) -> web.StreamResponse:
        body = await self._note(request)
        call = self._call(body.get("tools", []))
        usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        done = {"id": "r1", "object": "response", "status": "completed", "usage": usage}
        item, events = _said() if call is None else _called(call)
        return await _stream(
            request,
            [
                ("response.created", {"response": {"id": "r1", "status": "in_progress"}}),
                *events,
                ("response.output_item.done", {"output_index": 0, "item": item}),
                ("response.completed", {"response": done | {"output": [item]}}),
            ],
        )

    async def _completions(self, request: web.Request) -> web.StreamResponse:
        body = await self._note(request)
        head = {"id": "c1", "created": 1, "model": _MODEL}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        if not body.get("stream"):
            said = {"role": "assistant", "content": ANSWER}
            choice = {"index": 0, "message": said, "finish_reason": "stop"}
            return web.json_response(head | {"choices": [choice], "usage": usage})
        call, reason = self._call(body.get("tools", [])), "stop"
        delta: dict[str, Any] = {"content": ANSWER}
        if call is not None:
            function = {"name": call.name, "arguments": json.dumps(call.arguments)}
            asked = {"index": 0, "id": call.id, "type": "function", "function": function}
            delta, reason = {"tool_calls": [asked]}, "tool_calls"
        chunks: list[dict[str, Any]] = [
            {"choices": [{"index": 0, "delta": {"role": "assistant"} | delta}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": usage},
        ]
        lines = [json.dumps(head | {"object": "chat.completion.chunk"} | one) for one in chunks]
        return await _send(request, [*(f"data: {line}\n\n" for line in lines), "data: [DONE]\n\n"])

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        body = await self._note(request)
        groups = (group.get("functionDeclarations", []) for group in body.get("tools", []))
        call = self._call([tool for group in groups for tool in group])
        part: dict[str, Any] = {"text": ANSWER}
        if call is not None:
            part = {"functionCall": {"name": call.name, "args": call.arguments}}
        content = {"role": "model", "parts": [part]}
        usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 15}
        whole = {
            "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
            "usageMetadata": usage,
            "modelVersion": _MODEL,
        }
        if "streamGenerateContent" not in request.path:
            return web.json_response(whole)
        return await _send(request, [f"data: {json.dumps(whole)}\n\n"])

    async def _anything(self, request: web.Request) -> web.Response:
        return web.json_response({"input_tokens": 10, "totalTokens": 10, "data": []})

    async def _note(self, request: web.Request) -> dict[str, Any]:
        text = await request.text()
        body: dict[str, Any] = json.loads(text)
        self.asked.append((request.path, json.dumps(body, ensure_ascii=False)))
        await self.answers.wait()
        if self.refusal is not None:
            raise _refused(self.refusal)
        return body

    def _call(self, tools: Sequence[dict[str, Any]]) -> "_Call | None":
        """Return the call of a shell that was ordered, if these tools have one."""
        shells = [tool for tool in map(_bare, tools) if tool.get("name", "").lower() in _SHELLS]
        if self.order is None or not shells:
            return None
        order, self.order = self.order, None
        return _Call(f"call_{len(self.asked)}", shells[0]["name"], _arguments(shells[0], order))

    def application(self) -> web.Application:
        """Return the server's application."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/messages", self._messages)
        app.router.add_post("/v1/responses", self._responses)
        app.router.add_post("/v1/chat/completions", self._completions)
        app.router.add_post(
            "/{version:v1(beta|alpha)?}/models/{call:.*[gG]enerateContent}", self._generate
        )
        app.router.add_route("*", "/{path:.*}", self._anything)
        return app


def _bare(tool: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = tool.get("function", tool)
    return found


def _arguments(tool: dict[str, Any], order: str) -> dict[str, Any]:
    """Return what a shell is to be given: each program names and shapes it in its own way."""
    kinds = ("input_schema", "parameters", "parametersJsonSchema")
    schema = next(tool[kind] for kind in kinds if kind in tool)["properties"]
    name = "command" if "command" in schema else "cmd"
    whole = schema[name].get("type", "").lower() == "array"
    given: dict[str, Any] = {name: ["sh", "-c", order] if whole else order}
    return given | {key: said for key, said in _REASONS.items() if key in schema}


def _said() -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    part = {"type": "output_text", "text": ANSWER, "annotations": []}
    item = {"id": "m1", "type": "message", "role": "assistant", "content": [part]}
    where = {"item_id": "m1", "output_index": 0, "content_index": 0}
    return item, [
        ("response.output_item.added", {"output_index": 0, "item": item | {"content": []}}),
        ("response.output_text.delta", where | {"delta": ANSWER}),
    ]


def _called(call: _Call) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    item = {"id": "f1", "type": "function_call", "call_id": call.id, "name": call.name}
    item |= {"arguments": json.dumps(call.arguments)}
    return item, [
        ("response.output_item.added", {"output_index": 0, "item": item | {"arguments": ""}})
    ]


def _refused(refusal: Refusal) -> web.HTTPException:
    class Refused(web.HTTPException):
        status_code = refusal.status

    return Refused(text=json.dumps(refusal.body), content_type="application/json")


async def _stream(
    request: web.Request, events: Iterable[tuple[str, dict[str, Any]]]
) -> web.StreamResponse:
    return await _send(request, _lines(events))


def _lines(events: Iterable[tuple[str, dict[str, Any]]]) -> list[str]:
    return [
        f"event: {kind}\ndata: {json.dumps({'type': kind, 'sequence_number': at} | data)}\n\n"
        for at, (kind, data) in enumerate(events)
    ]


async def _send(
    request: web.Request, pieces: Iterable[str], until: asyncio.Event | None = None
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for piece in pieces:
        await response.write(piece.encode())
    if until is not None:
        await until.wait()
    await response.write_eof()
    return response


@asynccontextmanager
async def model_stand_in() -> AsyncIterator[ModelStandIn]:
    """Serve on a free port of loopback; ``url`` has no path."""
    stand_in = ModelStandIn()
    runner = web.AppRunner(stand_in.application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stand_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stand_in
    finally:
        stand_in.answers.set()
        stand_in.goes_on.set()
        await runner.cleanup()
