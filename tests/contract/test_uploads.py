"""Files that people sent are fetched by one, kept once and told once, in memory and in Postgres."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.enclosure import Attachment, Enclosure
from bot.files.uploads import Arrival, Arrivals, CardFiles, Upload, Uploads
from bot.model import Address, Principal, agent_address, derived_id
from bot.ports import Correspondence
from storage.database import Database
from storage.files.contents import PostgresContents
from storage.files.uploads import PostgresArrivals, PostgresCardFiles, PostgresUploads
from storage.mail.correspondence import PostgresCorrespondence
from tests.fakes.contents import MemoryContents
from tests.fakes.correspondence import MemoryCorrespondence
from tests.fakes.mailroom import Room
from tests.fakes.uploads import MemoryUploads
from tests.stages.mailroom import letter
from tests.stages.postgres import Tier

ANN = Principal("matrix:@ann:example.org", "ann")
BEN = Principal("matrix:@ben:example.org", "ben")
ROOM = Address("matrix", "!ops:example.org", "$root")
CODER = agent_address("box", "coder0")
NOW, MINUTE, DAY = timedelta(0), timedelta(minutes=1), timedelta(days=1)
FIRST, SECOND = "box first", "box second"


@dataclass(frozen=True, slots=True)
class Stage:
    """The ports over one state; ``bring`` stores bytes under an id."""

    uploads: Uploads
    arrivals: Arrivals
    cards: CardFiles
    correspondence: Correspondence
    bring: Callable[[str], Awaitable[None]]


async def _three_bytes() -> AsyncIterator[bytes]:
    yield b"abc"


@pytest.fixture
async def stage(mailroom_tier: Tier | None) -> AsyncIterator[Stage]:
    if mailroom_tier is None:
        room, memory = Room(), MemoryContents()
        uploads = MemoryUploads(room, memory)

        async def keep(content_id: str) -> None:
            await memory.keep(content_id, _three_bytes())

        yield Stage(uploads, uploads, uploads, MemoryCorrespondence(room), keep)
        return
    async with mailroom_tier.database() as database:
        yield _postgres(database)


def _postgres(database: Database) -> Stage:
    contents = PostgresContents(database)

    async def bring(content_id: str) -> None:
        await contents.keep(content_id, _three_bytes())

    return Stage(
        PostgresUploads(database),
        PostgresArrivals(database),
        PostgresCardFiles(database),
        PostgresCorrespondence(database),
        bring,
    )


def upload(name: str, *, file: str = "plan.txt", **more: object) -> Upload:
    attachment = Attachment(file, "text/plain", 3, {"url": "mxc://example.org/a"})
    given = {"card": None, "sender": ANN, "source": ROOM, "to": CODER, **more}
    return Upload(derived_id(name), attachment, event_id=f"${name}", caption="", **given)  # type: ignore[arg-type]


async def claim(stage: Stage, owner: str = FIRST, lease: timedelta = MINUTE) -> list[Upload]:
    return list(await stage.uploads.claim(["matrix"], owner, lease, 10))


async def keep(stage: Stage, one: Upload) -> None:
    await stage.bring(one.id)
    file = Enclosure(one.name, "text/plain", 3, one.id, card=one.card)
    await stage.uploads.settle(Arrival(one, file))


async def untold(stage: Stage, gather: timedelta = NOW) -> list[list[str]]:
    groups = await stage.arrivals.untold(gather, MINUTE)
    return sorted([one.upload.name for one in group] for group in groups)


async def test_a_wanted_file_is_leased_to_one_and_comes_back_as_it_was(stage: Stage) -> None:
    sent = upload("a", file="../../etc/pass\x00wd", card="A1")
    await stage.uploads.want([sent, sent])
    await stage.uploads.want([sent])
    (one,) = await claim(stage)
    assert (one.id, one.event_id, one.sender, one.source) == (sent.id, "$a", ANN, ROOM)
    assert (one.to, one.card, one.attempts, one.used) == (CODER, "A1", 1, 0)
    assert one.attachment.reference == {"url": "mxc://example.org/a"}
    assert one.name == "pass_wd"
    assert one.wanted_at is not None
    assert abs(datetime.now(UTC) - one.wanted_at) < MINUTE
    assert await claim(stage) == []
    assert await claim(stage, "other life") == []
    assert await stage.uploads.claim(["discord"], SECOND, MINUTE, 10) == []


async def test_what_a_crash_cut_short_is_fetched_again_by_the_next_life(stage: Stage) -> None:
    await stage.uploads.want([upload("a")])
    (first,) = await claim(stage)
    (again,) = await claim(stage, SECOND)
    assert again.attempts == 2
    await stage.uploads.postpone(first, MINUTE, "late word of the first life")
    await stage.uploads.postpone(again, NOW, "the server is away")
    (third,) = await claim(stage, SECOND)
    assert third.attempts == 3


async def test_a_postponed_file_waits(stage: Stage) -> None:
    await stage.uploads.want([upload("a")])
    (one,) = await claim(stage)
    await stage.uploads.postpone(one, MINUTE, "the server is away")
    assert await claim(stage) == []
    assert await untold(stage) == []


async def test_two_files_of_one_name_get_two_names_in_one_folder(stage: Stage) -> None:
    here = [upload(word) for word in ("a", "b", "c")]
    await stage.uploads.want([*here, upload("d", card="A1")])
    assert [one.name for one in await claim(stage)] == [
        "plan.txt",
        "plan-2.txt",
        "plan-3.txt",
        "plan.txt",
    ]


async def test_a_file_is_kept_once_and_how_to_fetch_it_is_forgotten(stage: Stage) -> None:
    await stage.uploads.want([upload("a", card="A1")])
    (one,) = await claim(stage)
    await keep(stage, one)
    await stage.uploads.settle(Arrival(one, None, "a late refusal"))
    ((arrival,),) = await stage.arrivals.untold(NOW, MINUTE)
    assert arrival.file == Enclosure("plan.txt", "text/plain", 3, one.id, card="A1")
    assert arrival.upload.attachment.reference == {}
    (file,) = await stage.cards.of_card("A1")
    assert (file.name, file.media_type, file.size, file.sender) == (
        "plan.txt",
        "text/plain",
        3,
        ANN.id,
    )
    assert await stage.cards.enclosed("A1") == [arrival.file]
    assert await stage.cards.of_card("A2") == []


async def test_a_folder_counts_what_it_holds(stage: Stage) -> None:
    await stage.uploads.want([upload("a"), upload("b")])
    first, second = await claim(stage)
    await keep(stage, first)
    await stage.uploads.settle(Arrival(second, None, "too large"))
    await stage.uploads.want([upload("c"), upload("d", card="A1")])
    assert [(one.name, one.used) for one in await claim(stage)] == [
        ("plan-3.txt", 3),
        ("plan.txt", 0),
    ]


async def test_files_are_told_together_and_wait_for_each_other(stage: Stage) -> None:
    mine = [upload("a", file="a.txt"), upload("b", file="b.txt")]
    await stage.uploads.want([*mine, upload("c", file="c.txt", sender=BEN)])
    await stage.uploads.want([upload("d", file="d.txt", card="A1")])
    first, second, bens, cards = await claim(stage)
    await keep(stage, bens)
    await keep(stage, first)
    await stage.uploads.settle(Arrival(cards, None, "too large"))
    assert await untold(stage) == [["c.txt"], ["d.txt"]], "one of mine is not there yet"
    await keep(stage, second)
    assert await untold(stage) == [["a.txt", "b.txt"], ["c.txt"], ["d.txt"]]
    assert await untold(stage, MINUTE) == [], "another one may come"


async def test_what_is_slow_is_not_waited_for_without_end(stage: Stage) -> None:
    await stage.uploads.want([upload("a", file="a.txt"), upload("b", file="b.txt")])
    first, _ = await claim(stage)
    await keep(stage, first)
    groups = await stage.arrivals.untold(NOW, NOW)
    assert [[one.upload.name for one in group] for group in groups] == [["a.txt"]]


async def test_arrivals_are_told_once(stage: Stage) -> None:
    await stage.uploads.want([upload("a")])
    (one,) = await claim(stage)
    await keep(stage, one)
    (group,) = await stage.arrivals.untold(NOW, MINUTE)
    await stage.arrivals.tell(group, [letter("first")])
    await stage.arrivals.tell(group, [letter("second")])
    assert await untold(stage) == []
    assert await stage.correspondence.message("first") is not None
    assert await stage.correspondence.message("second") is None


async def test_an_inbox_is_emptied_in_time_and_what_nobody_was_told_of_stays(stage: Stage) -> None:
    await stage.uploads.want([upload("a", file="a.txt"), upload("b", file="b.txt", sender=BEN)])
    for one in await claim(stage):
        await keep(stage, one)
    for group in await stage.arrivals.untold(NOW, MINUTE):
        if group[0].upload.sender == ANN:
            await stage.arrivals.tell(group, [])
    assert await stage.arrivals.expire(DAY) == []
    assert await stage.arrivals.expire(NOW) == ["inbox:box/coder0/a.txt"]
    assert await untold(stage) == [["b.txt"]]
    await stage.uploads.want([upload("c", file="a.txt")])
    assert [one.name for one in await claim(stage)] == ["a-2.txt"], "no name means two files"


async def test_the_folder_of_an_upload_is_its_card_or_the_agents_inbox() -> None:
    assert upload("a").folder == "inbox:box/coder0"
    assert replace(upload("a"), card="A1").folder == "card:A1"
