"""Requests that the library must not repeat by itself: after an error of the server nobody knows whether it obeyed.

discord.py repeats whatever was answered with 500, 502, 504 or 524 (``HTTPClient.request``). For messages a nonce
makes that harmless; a post of a forum has none, so it is looked for before it is made again.

Where touches are answered (``AsyncWebhookAdapter.request``) it takes every 429 with ``Via`` for one in JSON and ends in a
TypeError; such an answer is made the HTTPException that it is on other requests.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace

import aiohttp
import discord

_only_once: ContextVar[bool] = ContextVar("only_once", default=False)


class Unclear(aiohttp.ClientError):
    """The server failed, and may have obeyed before."""


@contextmanager
def only_once() -> Iterator[None]:
    """End a request of this block at an error of the server with ``Unclear``, where the client has ``trace``."""
    token = _only_once.set(True)
    try:
        yield
    finally:
        _only_once.reset(token)


def trace() -> aiohttp.TraceConfig:
    """Return what the library's client takes as ``http_trace`` for that."""
    config = aiohttp.TraceConfig()
    config.on_request_end.append(_end)
    return config


async def _end(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    params: aiohttp.TraceRequestEndParams,
) -> None:
    answer = params.response
    if _only_once.get() and answer.status >= 500:
        answer.close()
        raise Unclear(f"Discord answered {answer.status}")
    in_json = answer.headers.get("Content-Type") == "application/json"
    if answer.status == 429 and "Via" in answer.headers and not in_json:
        raise discord.HTTPException(answer, await answer.text(encoding="utf-8", errors="replace"))
