"""A request that may not be repeated ends at the first error of the server; any other is the library's to repeat."""

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from connectors.discord.once import Unclear, only_once, trace


async def test_only_errors_of_the_server_end_a_request_and_only_within_the_block() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=int(request.match_info["status"]))

    application = web.Application()
    application.router.add_post("/{status}", answer)
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession(trace_configs=[trace()]) as session,
    ):

        async def post(status: int) -> int:
            async with session.post(server.make_url(f"/{status}")) as told:
                return told.status

        with only_once():
            assert [await post(status) for status in (200, 429, 404)] == [200, 429, 404]
            for status in (500, 503):
                with pytest.raises(Unclear):
                    await post(status)
        assert await post(500) == 500
