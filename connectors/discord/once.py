"""Requests that the library must not repeat by itself: after an error of the server nobody knows whether it obeyed.

discord.py repeats whatever was answered with 500, 502, 504 or 524 (``HTTPClient.request``). For messages a nonce
makes that harmless; a post of a forum has none, so it is looked for before it is made again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace

import aiohttp

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
    if _only_once.get() and params.response.status >= 500:
        params.response.close()
        raise Unclear(f"Discord answered {params.response.status}")
