"""The bytes of files, in memory."""

from collections.abc import AsyncIterator

from bot.errors import UserError


class MemoryContents:
    """The port Contents; ``kept`` holds whole files by their id."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def keep(self, content_id: str, chunks: AsyncIterator[bytes]) -> int:
        self.kept.pop(content_id, None)
        content = b"".join([piece async for piece in chunks])
        self.kept[content_id] = content
        return len(content)

    async def read(self, content_id: str) -> AsyncIterator[bytes]:
        if content_id not in self.kept:
            raise UserError(f"the file {content_id} is not kept any more", code="gone")
        content = self.kept[content_id]
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]
