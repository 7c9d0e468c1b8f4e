"""The bytes of files are kept whole or not at all, in memory and in Postgres."""

from collections.abc import AsyncIterator

import pytest

from bot.errors import TransientError, UserError
from bot.model import derived_id
from bot.ports import Contents
from storage.database import Database
from storage.files.contents import PIECE, PostgresContents
from tests.fakes.contents import MemoryContents


async def _pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def _whole(contents: Contents, content_id: str) -> bytes:
    return b"".join([piece async for piece in contents.read(content_id)])


class ContentsContract:
    """Inherit, and give a fixture ``contents``."""

    @pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
    async def test_what_was_kept_is_read_again(self, contents: Contents, size: int) -> None:
        content = bytes(range(251)) * (size // 251 + 1)
        content_id = derived_id("size", str(size))
        assert await contents.keep(content_id, _pieces(content[:size], 100_000)) == size
        assert await _whole(contents, content_id) == content[:size]

    async def test_what_was_cut_short_is_not_there(self, contents: Contents) -> None:
        async def broken() -> AsyncIterator[bytes]:
            yield b"x" * PIECE
            raise TransientError("the line broke")

        content_id = derived_id("broken")
        with pytest.raises(TransientError, match="the line broke"):
            await contents.keep(content_id, broken())
        with pytest.raises(UserError) as told:
            await _whole(contents, content_id)
        assert told.value.code == "gone"
        assert await contents.keep(content_id, _pieces(b"whole")) == 5
        assert await _whole(contents, content_id) == b"whole"

    async def test_an_id_is_written_anew(self, contents: Contents) -> None:
        content_id = derived_id("anew")
        await contents.keep(content_id, _pieces(b"first" * PIECE))
        await contents.keep(content_id, _pieces(b"second"))
        assert await _whole(contents, content_id) == b"second"

    async def test_what_was_never_kept_is_gone(self, contents: Contents) -> None:
        with pytest.raises(UserError, match="not kept"):
            await _whole(contents, "nothing")


class TestMemoryContents(ContentsContract):
    @pytest.fixture
    def contents(self) -> Contents:
        return MemoryContents()


class TestPostgresContents(ContentsContract):
    @pytest.fixture
    def contents(self, database: Database) -> Contents:
        return PostgresContents(database)
