"""The operator's console over its WebSocket."""

from pathlib import Path

import aiohttp
import pytest

from tests.stages.face import Face, serve


async def test_an_operator_attends_and_frames_go_both_ways(face: Face) -> None:
    async with face.session("operator") as session, session.ws_connect("/v1/console") as console:
        assert (await console.receive_json())["who"] == "matrix:@ann:example.org"
        await console.send_json({"type": "say", "text": "hello"})
        assert (await console.receive_json())["frame"]["text"] == "hello"


@pytest.mark.parametrize("token", ["member", "agent", "stranger", "nobody"])
async def test_nobody_else_gets_as_far_as_a_websocket(face: Face, token: str) -> None:
    async with face.session(token) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("/v1/console")
    assert refused.value.status == (401 if token == "nobody" else 403)


@pytest.mark.parametrize(
    "text", ["hello", "[]", "null", "{", "[" * 5000, '{"text": "\\u0000"}', '{"text": "\\ud83d"}']
)
async def test_what_is_no_frame_is_answered_with_an_error_and_the_line_stays(
    face: Face, text: str
) -> None:
    async with face.session("operator") as session, session.ws_connect("/v1/console") as console:
        await console.receive_json()
        await console.send_str(text)
        refused = await console.receive_json()
        assert refused["frame"] == "refused"
        assert refused["reason"].startswith(("a frame must be one JSON object", "a text "))
        await console.send_json({"type": "say"})
        assert (await console.receive_json())["type"] == "echo"


async def test_binary_messages_are_no_frames(face: Face) -> None:
    async with face.session("operator") as session, session.ws_connect("/v1/console") as console:
        await console.receive_json()
        await console.send_bytes(b"\x00\xff")
        assert (await console.receive_json())["frame"] == "refused"


async def test_a_bug_ends_the_line_with_a_reference_only(face: Face) -> None:
    async with face.session("operator") as session, session.ws_connect("/v1/console") as console:
        await console.receive_json()
        await console.send_json({"type": "break"})
        ended = await console.receive()
    assert (ended.type, ended.data) == (aiohttp.WSMsgType.CLOSE, 1011)
    assert "reference" in str(ended.extra)


async def test_a_stopping_daemon_hangs_up(home: Path) -> None:
    async with serve(home / "run" / "api.sock") as face:
        session = aiohttp.ClientSession(
            "http://mosaic", connector=aiohttp.UnixConnector(str(face.path))
        )
        console = await session.ws_connect("/v1/console")
        await console.receive_json()
    ended = await console.receive()
    await session.close()
    assert ended.data == aiohttp.WSCloseCode.GOING_AWAY


async def test_a_plain_request_to_the_console_is_told_so(face: Face) -> None:
    async with face.session("operator") as session:
        answer = await session.get("/v1/console")
        assert (answer.status, (await answer.json(content_type=None))["error"]["code"]) == (
            400,
            "usage",
        )
