"""Files on a real Synapse: clear and encrypted, damaged, gone, too large, and on servers with older paths."""

import hashlib
import os
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nio
import pytest
from aiohttp import web

from bot.enclosure import Attachment, Enclosure
from bot.errors import SetupError, TransientError, UserError
from bot.model import MessageKind
from connectors.matrix.connector import MatrixConnector
from connectors.matrix.media import Media
from connectors.matrix.session import Session
from storage.database import Database
from storage.files.contents import PostgresContents
from tests.stages.matrix import Bot, Ear, meet, message
from tests.stages.synapse import Person, Town
from tests.waiting import until

CONTENT = os.urandom(300_001)


async def _pieces(content: bytes, size: int = 70_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def _whole(connector: MatrixConnector, file: Attachment) -> bytes:
    return b"".join([piece async for piece in connector.fetch(file)])


@asynccontextmanager
async def _media(url: str, user_id: str, token: str) -> AsyncIterator[Media]:
    session = Session(url, user_id, token)
    try:
        yield Media(session)
    finally:
        await session.close()


def _account(bot: Bot) -> tuple[str, str, str]:
    return bot.town.url, bot.user_id, bot.account.token


async def _sent(ann: Person, bot: Bot, ear: Ear, *, sealed: bool = False) -> Attachment:
    known = len(ear.events)
    await ann.send_file(bot.room_id, "plan.bin", CONTENT, "application/x-plan", sealed=sealed)
    await until(lambda: len(ear.events) > known, what="the file's event")
    (file,) = ear.events[-1].attachments
    return file


@pytest.mark.parametrize("sealed", [False, True])
async def test_a_person_s_file_is_fetched_and_opened(matrix_town: Town, sealed: bool) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear) as connector:
        file = await _sent(ann, bot, ear, sealed=sealed)
        assert (file.name, file.media_type, file.size) == (
            "plan.bin",
            "application/x-plan",
            len(CONTENT),
        )
        assert ("file" in file.reference) == sealed
        assert await _whole(connector, file) == CONTENT


@pytest.mark.parametrize("sealed", [False, True])
async def test_a_person_s_client_opens_what_we_upload(matrix_town: Town, sealed: bool) -> None:
    ann, bot = await meet(matrix_town)
    async with _media(*_account(bot)) as media:
        where = await media.put(
            _pieces(CONTENT), len(CONTENT), "a b?.bin", "image/png", sealed=sealed
        )
        assert await ann.open_file(where) == CONTENT
        uri = where["file"]["url"] if sealed else where["url"]
        raw = await ann.client.download(mxc=uri)
        assert isinstance(raw, nio.MemoryDownloadResponse)
        assert (raw.body == CONTENT) != sealed, (
            "the homeserver of an encrypted room sees no byte of it"
        )
        assert raw.filename == (None if sealed else "a b?.bin")
        assert b"".join([piece async for piece in media.get(where)]) == CONTENT


@pytest.mark.parametrize("part", ["hash", "bytes", "key"])
async def test_an_encrypted_file_that_is_not_the_one_that_was_sent_is_refused(
    matrix_town: Town, part: str
) -> None:
    _, bot = await meet(matrix_town)
    async with _media(*_account(bot)) as media:
        where = await media.put(_pieces(CONTENT), len(CONTENT), "x", "text/plain", sealed=True)
        other = await media.put(_pieces(b"other"), 5, "x", "text/plain", sealed=False)
        if part == "hash":
            where["file"]["hashes"] = {"sha256": "A" * 43}
        elif part == "bytes":
            where["file"]["url"] = other["url"]
        else:
            where["file"]["key"]["k"] = "not a key"
        with pytest.raises(UserError) as told:
            _ = [piece async for piece in media.get(where)]
        assert told.value.code == "damaged"


async def test_a_file_that_is_not_there_is_a_word_for_its_sender(matrix_town: Town) -> None:
    _, bot = await meet(matrix_town)
    connector = bot.connector()
    file = Attachment("x", "text/plain", 1, {"url": f"mxc://{_server(bot)}/nothing"})
    with pytest.raises(UserError, match="M_NOT_FOUND"):
        await _whole(connector, file)
    await connector.close()


async def test_the_homeserver_s_limit_is_known_and_kept(matrix_town: Town) -> None:
    _, bot = await meet(matrix_town)
    async with bot.listening(Ear()) as connector:
        limit = connector.capabilities().file_bytes
        assert limit == 50 * 1024 * 1024, "what Synapse says"
        large = Enclosure("x.bin", "application/zip", limit + 1, "made")
        said = message(bot.room_id, "", MessageKind.ANSWER, files=(large,))
        with pytest.raises(UserError, match=f"x.bin has {limit + 1} bytes; the homeserver takes"):
            await connector.send(said)


async def test_a_wrong_token_is_a_set_up_matter_for_files_too(matrix_town: Town) -> None:
    _, bot = await meet(matrix_town)
    async with _media(bot.town.url, bot.user_id, "wrong") as media:
        with pytest.raises(SetupError, match="M_UNKNOWN_TOKEN"):
            await media.put(_pieces(b"x"), 1, "x", "text/plain", sealed=False)
        await media.ask_limit()
        assert media.limit == 50 * 1024 * 1024


async def test_a_room_that_is_encrypted_gets_no_clear_file(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    await ann.encrypt(bot.room_id)
    await bot.contents.keep("made", _pieces(b"s3cret"))
    file = Enclosure("x.txt", "text/plain", 6, "made")
    async with bot.listening(Ear()) as connector:
        with pytest.raises(UserError, match="is encrypted"):
            await connector.send(message(bot.room_id, "", MessageKind.ANSWER, files=(file,)))
    assert await ann.spoken(bot.room_id, bot.user_id) == []


class _Older:
    """A homeserver that has files at the older paths only, and may hang up within one."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.breaks = 0

    async def config(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        return web.json_response({"m.upload.size": 12_345})

    async def download(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        answer = web.StreamResponse(headers={"Content-Length": "6"})
        await answer.prepare(request)
        await answer.write(b"abc")
        if self.breaks:
            self.breaks -= 1
            assert request.transport is not None
            request.transport.close()
            return answer
        await answer.write(b"def")
        return answer


@pytest.fixture
async def older() -> AsyncIterator[tuple[_Older, str]]:
    server, app = _Older(), web.Application()
    app.router.add_get("/_matrix/media/v3/config", server.config)
    app.router.add_get("/_matrix/media/v3/download/{server}/{id}", server.download)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield server, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_a_server_with_older_paths_is_asked_there(older: tuple[_Older, str]) -> None:
    server, url = older
    for asks_first in (True, False):
        async with _media(url, "@bot:stub", "t") as media:
            if asks_first:
                await media.ask_limit()
                assert media.limit == 12_345
            found = [piece async for piece in media.get({"url": "mxc://stub/abc"})]
        assert b"".join(found) == b"abcdef"
    assert server.asked.count("/_matrix/media/v3/download/stub/abc") == 2


async def test_a_line_that_breaks_within_a_file_is_tried_again_later(
    older: tuple[_Older, str],
) -> None:
    server, url = older
    async with _media(url, "@bot:stub", "t") as media:
        await media.ask_limit()
        server.breaks = 1
        with pytest.raises(TransientError):
            _ = [piece async for piece in media.get({"url": "mxc://stub/abc"})]
        found = [piece async for piece in media.get({"url": "mxc://stub/abc"})]
        assert b"".join(found) == b"abcdef"


def _server(bot: Bot) -> str:
    return bot.user_id.partition(":")[2]


async def test_a_large_file_goes_both_ways_a_piece_at_a_time(
    matrix_town: Town, database: Database
) -> None:
    _, bot = await meet(matrix_town)
    contents, size = PostgresContents(database), 40_000_000
    digest, piece = hashlib.sha256(), os.urandom(100_000)

    async def large() -> AsyncIterator[bytes]:
        for number in range(size // len(piece)):
            whole = number.to_bytes(8, "big") + piece[8:]
            digest.update(whole)
            yield whole

    async with _media(*_account(bot)) as media:
        await media.put(_pieces(b"warm"), 4, "x", "text/plain", sealed=True)
        tracemalloc.start()
        try:
            where = await media.put(large(), size, "x", "text/plain", sealed=True)
            assert await contents.keep("large", media.get(where)) == size
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    found = hashlib.sha256()
    async for one in contents.read("large"):
        found.update(one)
    assert found.digest() == digest.digest()
    assert peak < 6_000_000, f"{peak:,} bytes at most, of {size:,}"
