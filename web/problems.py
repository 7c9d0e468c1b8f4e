"""Every failure of a call as one problem document (RFC 9457), with the ``error`` object of the contracts."""

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from aiohttp import web

from bot.errors import ConfirmationRequired, MosaicError, SetupError, TransientError, UsageError
from bot.problem import Problem, problem_of
from bot.reply import to_json

CONTENT_TYPE = "application/problem+json"
WEBSOCKET = web.RequestKey("websocket", web.WebSocketResponse)
"""The key under which a request keeps its WebSocket: after the upgrade no other answer fits."""

STATUS_OF_CODE: Mapping[str, HTTPStatus] = {
    "confirmation_required": HTTPStatus.CONFLICT,
    "forbidden": HTTPStatus.FORBIDDEN,
    "invalid": HTTPStatus.BAD_REQUEST,
    "not_found": HTTPStatus.NOT_FOUND,
    "too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unknown_agent": HTTPStatus.NOT_FOUND,
    "unknown_card": HTTPStatus.NOT_FOUND,
    "unknown_command": HTTPStatus.NOT_FOUND,
    "unknown_token": HTTPStatus.UNAUTHORIZED,
    "wrong_method": HTTPStatus.METHOD_NOT_ALLOWED,
}
"""Codes whose status is not that of their class."""

STATUS_OF_CLASS: tuple[tuple[type[MosaicError], HTTPStatus], ...] = (
    (UsageError, HTTPStatus.BAD_REQUEST),
    (ConfirmationRequired, HTTPStatus.CONFLICT),
    (TransientError, HTTPStatus.SERVICE_UNAVAILABLE),
    (SetupError, HTTPStatus.SERVICE_UNAVAILABLE),
    (MosaicError, HTTPStatus.CONFLICT),
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def answer_problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failure with a problem document, and an unforeseen one with a reference id only."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        answer = _answer(_problem_of_http(error, request), HTTPStatus(error.status))
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except Exception as error:  # noqa: BLE001 - the one place of this face where a bug becomes an answer
        return await _answer_error(request, error)


async def _answer_error(request: web.Request, error: Exception) -> web.StreamResponse:
    problem = problem_of(error)
    shown = _shown(error) if isinstance(error, ConfirmationRequired) else {}
    upgraded: web.WebSocketResponse | None = request.get(WEBSOCKET)
    if upgraded is not None:
        await upgraded.close(code=1011, message=problem.message.encode()[:120])
        return upgraded
    answer = _answer(problem, status_of(error), shown)
    if isinstance(error, TransientError):
        wait = error.retry_after.total_seconds() if error.retry_after else 1
        answer.headers["Retry-After"] = str(max(1, math.ceil(wait)))
    if answer.status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def status_of(error: Exception) -> HTTPStatus:
    """Return the HTTP status of an error: that of its code, else that of its class, else 500."""
    if isinstance(error, MosaicError) and error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    for kind, status in STATUS_OF_CLASS:
        if isinstance(error, kind):
            return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def _problem_of_http(error: web.HTTPException, request: web.Request) -> Problem:
    """Say in our words what the HTTP library refused."""
    match error.status:
        case HTTPStatus.NOT_FOUND:
            return Problem("not_found", f"there is nothing at {request.path[:200]}")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = error.headers.get("Allow", "")
            return Problem(
                "wrong_method", f"{request.method} is not taken here; allowed: {allowed}"
            )
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return Problem("too_large", "the body is larger than 16 MiB")
    return Problem("usage", error.reason)


def _shown(question: ConfirmationRequired) -> dict[str, Any]:
    blocks = {"blocks": to_json(question.preview)} if question.preview else {}
    return {"preview_id": question.preview_id, **blocks}


def _answer(
    problem: Problem, status: HTTPStatus, more: Mapping[str, Any] = MappingProxyType({})
) -> web.Response:
    document = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": problem.message,
        **problem.data,
        **more,
    }
    return web.Response(text=json.dumps(document), status=status, content_type=CONTENT_TYPE)
