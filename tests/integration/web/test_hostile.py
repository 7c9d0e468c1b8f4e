"""Hostile inputs through the HTTP face: a clear error, no traceback, a daemon that goes on."""

import asyncio
import io
import json
from typing import Any

import pytest
import structlog

from tests.stages.face import Face

DEEP = '{"words": ' + "[" * 5000 + "]" * 5000 + "}"
BODIES: dict[str, bytes] = {
    "not JSON": b"words=help",
    "cut short": b'{"words": ["help"',
    "an array": b'["help"]',
    "a string": b'"help"',
    "null": b"null",
    "a number": b"1e400",
    "NaN": b'{"words": ["help"], "confirmed": NaN}',
    "two documents": b'{"words": ["help"]}{"words": ["help"]}',
    "bad UTF-8": b'{"words": ["\xff\xfe"]}',
    "overlong UTF-8": b'{"words": ["\xc0\xaf"]}',
    "UTF-16": '{"words": ["help"]}'.encode("utf-16"),
    "half a surrogate pair": b'{"words": ["backlog", "show", "\\ud83d"]}',
    "NUL": b'{"words": ["backlog", "show", "A\\u0000"]}',
    "NUL in a key": b'{"wo\\u0000rds": ["help"]}',
    "nested 5000 deep": DEEP.encode(),
    "nested 100 deep": b'{"words": ' + b"[" * 100 + b"]" * 100 + b"}",
    "no words": b'{"words": []}',
    "words of numbers": b'{"words": [1, 2]}',
    "words of objects": b'{"words": [{"a": 1}]}',
    "a word too many words": json.dumps({"words": ["a"] * 100_000}).encode(),
    "unknown keys": b'{"words": ["help"], "admin": true}',
    "confirmed as text": b'{"words": ["help"], "confirmed": "yes"}',
    "a long word": json.dumps({"words": ["x" * 200_000]}).encode(),
    "a long flag": json.dumps({"words": ["backlog", "list", "--" + "x" * 200_000]}).encode(),
    "a long value": json.dumps({"words": ["backlog", "show", "x" * 200_000]}).encode(),
    "a word too many": json.dumps({"words": ["status", "y" * 200_000]}).encode(),
    "a huge number": b'{"words": ["help"], "confirmed": ' + b"9" * 10_000 + b"}",
    "SQL": json.dumps({"words": ["backlog", "show", "'; DROP TABLE cards; --"]}).encode(),
    "control bytes": json.dumps({"words": ["backlog", "show", "\x1b]0;owned\x07"]}).encode(),
    "right to left": json.dumps({"words": ["backlog", "show", "\u202egpj.exe"]}).encode(),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_hostile_body_is_refused_with_a_sentence(face: Face, name: str) -> None:
    async with face.session("operator") as session:
        answer = await session.post("/v1/run", data=BODIES[name])
        document = await answer.json(content_type="application/problem+json")
        assert (await session.get("/v1/health")).status == 200
    assert 400 <= answer.status < 500
    assert set(document["error"]) == {"code", "message", "hint"}
    assert 0 < len(json.dumps(document)) < 3000
    assert "Traceback" not in document["detail"]


async def test_a_body_over_sixteen_mebibytes_is_too_large(face: Face) -> None:
    async with face.session("operator") as session:
        answer = await session.post("/v1/run", data=io.BytesIO(b" " * 17_000_000))
        document = await answer.json(content_type="application/problem+json")
    assert (answer.status, document["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_decoded_is_refused(face: Face, encoding: str) -> None:
    headers = {"Content-Encoding": encoding}
    async with face.session("operator") as session:
        answer = await session.post("/v1/run", data=b"\xffnot compressed", headers=headers)
        document = await answer.json(content_type="application/problem+json")
    assert (answer.status, document["error"]["code"]) == (400, "usage")
    assert "Content-Encoding" in document["error"]["hint"]


async def test_a_caller_who_hangs_up_within_the_body_is_no_bug(face: Face) -> None:
    reader, writer = await asyncio.open_unix_connection(str(face.path))
    head = b"POST /v1/run HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n{"
    with structlog.testing.capture_logs() as logged:
        writer.write(head)
        writer.write_eof()
        await reader.read()
        writer.close()
        async with face.session("operator") as session:
            assert (await session.get("/v1/health")).status == 200
    assert not [entry for entry in logged if entry["event"] == "bug"]


ARGUMENTS: dict[str, Any] = {
    "unknown argument": {"id": "A1", "colour": "red"},
    "many unknown arguments": {f"x{number}": 1 for number in range(20_000)},
    "a list for a text": {"id": ["A1"]},
    "an object for a text": {"id": {"$ne": None}},
    "null": {"id": None},
    "a path": {"id": "../../etc/passwd"},
    "a template": {"id": "#{pane_pid}"},
    "a mention": {"id": "@room <b>bold</b>"},
    "emoji": {"id": "👩\u200d👩\u200d👧"},
}


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_hostile_arguments_are_refused_naming_the_field(face: Face, name: str) -> None:
    async with face.session("operator") as session:
        answer = await session.post("/v1/commands/backlog/show", json=ARGUMENTS[name])
        document = await answer.json(content_type="application/problem+json")
    assert (answer.status, document["error"]["code"]) == (400, "usage")
    assert len(document["detail"]) < 1000


@pytest.mark.parametrize(
    "path", ["/v1/commands/%00", "/v1/commands/%ff%fe", "/v1/commands/" + "a/" * 3000, "/v1/%2e%2e"]
)
async def test_a_hostile_address_is_refused(face: Face, path: str) -> None:
    async with face.session("operator") as session:
        answer = await session.post(path, json={})
        text = await answer.text()
        assert (await session.get("/v1/health")).status == 200
    assert answer.status in {400, 404}
    assert "Traceback" not in text
