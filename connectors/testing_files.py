"""What every connector must do with files, as tests: a part of the connectors' contract."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import cast

from bot.enclosure import Attachment, Enclosure
from bot.errors import TransientError, UserError
from bot.model import InboundKind, MessageKind
from bot.ports import FetchesFiles
from connectors.stage import (
    Ledger,
    Stage,
    Standing,
    StandingFile,
    deliver,
    eventually,
    is_up,
    listening,
    outbound,
)


class FilesContract:
    """Files both ways; where a platform has none, its refusal is what is checked."""

    async def test_a_file_is_shown_once_with_its_caption_or_refused_where_there_are_none(
        self, stage: Stage
    ) -> None:
        content = bytes(range(256)) * 1200
        await stage.contents.keep("made", _pieces(content))
        file = Enclosure("what we made.bin", "application/octet-stream", len(content), "made")
        message = replace(outbound(stage, "as asked", MessageKind.ANSWER), files=(file,))
        async with listening(stage, Ledger()):
            if not stage.connector.capabilities().file_bytes:
                with contextlib.suppress(UserError):
                    await stage.connector.send(message)
                    raise AssertionError("it was taken")
                return
            first = await stage.connector.send(message)
            again = await stage.connector.send(message)
            assert again.platform_id == first.platform_id
            await stage.connector.send(outbound(stage, "after it"))
            assert await stage.standing() == [Standing("after it")]
            (shown,) = await stage.files()
        assert shown == StandingFile("what we made.bin", content, "as asked")

    async def test_the_same_file_after_a_restart_is_uploaded_again_and_shown_once(
        self, stage: Stage
    ) -> None:
        if not stage.connector.capabilities().file_bytes:
            return
        file = Enclosure("whole.txt", "text/plain", 5, words="whole")
        message = replace(outbound(stage, "", MessageKind.ANSWER), files=(file,))
        async with listening(stage, Ledger()):
            await stage.connector.send(message)
        await stage.restart()
        async with listening(stage, Ledger()):
            await deliver(stage, message)
            await deliver(stage, outbound(stage, "after it"))
            assert await stage.files() == [StandingFile("whole.txt", b"whole", "")]
            assert await stage.standing() == [Standing("after it")]

    async def test_a_file_made_of_words_goes_into_its_thread_under_its_own_name(
        self, stage: Stage
    ) -> None:
        capabilities, words = stage.connector.capabilities(), "line\n" * 10_000
        file = Enclosure("answer.md", "text/markdown", len(words), words=words)
        ledger = Ledger()
        async with listening(stage, ledger):
            root = await stage.speak("root")
            await ledger.arrival(root)
            if not (capabilities.file_bytes and capabilities.threads):
                return
            message = replace(outbound(stage, "", MessageKind.ANSWER), files=(file,))
            await stage.connector.send(replace(message, to=replace(stage.place, thread=root)))
            (shown,) = await stage.files()
            await ledger.arrival(await stage.speak("the end"))
        assert shown == StandingFile("answer.md", words.encode(), "", root)
        assert ledger.texts() == ["root", "the end"]

    async def test_a_file_whose_bytes_are_gone_is_refused(self, stage: Stage) -> None:
        file = Enclosure("lost.txt", "text/plain", 3, "nothing")
        async with listening(stage, Ledger()):
            with contextlib.suppress(UserError):
                await stage.connector.send(replace(outbound(stage, "x"), files=(file,)))
                raise AssertionError("it was taken")
            assert await stage.files() == []

    async def test_a_person_s_file_comes_in_with_its_caption_and_can_be_fetched(
        self, stage: Stage
    ) -> None:
        if not stage.connector.capabilities().file_bytes:
            assert not hasattr(stage.connector, "fetch")
            return
        content, ledger = bytes(range(256)) * 700, Ledger()
        async with listening(stage, ledger):
            event_id = await stage.send_file("a plan.pdf", content, "application/pdf", "look here")
            event = await ledger.arrival(event_id)
            (attachment,) = event.attachments
            assert (event.text, event.kind) == ("look here", InboundKind.TEXT)
            assert (attachment.name, attachment.media_type) == ("a plan.pdf", "application/pdf")
            assert attachment.size == len(content)
            for _ in range(2):
                assert await _fetched(stage, attachment) == content
            bare = await ledger.arrival(await stage.send_file("x.txt", b"x", "text/plain"))
        assert (bare.text, bare.attachments[0].name) == ("", "x.txt")

    async def test_a_file_is_fetched_once_the_line_is_up_again(self, stage: Stage) -> None:
        if not stage.connector.capabilities().file_bytes:
            return
        ledger = Ledger()
        async with listening(stage, ledger):
            event_id = await stage.send_file("a.txt", b"abc", "text/plain")
            (attachment,) = (await ledger.arrival(event_id)).attachments
            await stage.cut()
            with contextlib.suppress(TransientError):
                await _fetched(stage, attachment)
                raise AssertionError("it was fetched")
            await stage.restore()
            await eventually(lambda: is_up(stage))
            assert await _fetched(stage, attachment) == b"abc"


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 10_000):
        yield content[start : start + 10_000]


async def _fetched(stage: Stage, attachment: Attachment) -> bytes:
    # What a connector says of itself by ``file_bytes`` is what is tested here.
    fetching = cast("FetchesFiles", stage.connector)
    return b"".join([piece async for piece in fetching.fetch(attachment)])
