"""Outages, refusals and limits: the loop waits, nothing is hammered, and errors are ours."""

import asyncio
import time
from datetime import timedelta

import pytest
from aiohttp import web

from bot.errors import SetupError, TransientError
from connectors.matrix.connector import MatrixConnector
from tests.fakes.contents import MemoryContents
from tests.stages.matrix import Ear, meet, message
from tests.stages.stub_homeserver import ROOM, USER, refused, stub_homeserver, synced
from tests.stages.synapse import Town, free_port
from tests.waiting import until


async def _nobody(_who: object) -> bool:
    return False


def _connector(url: str, reports: list[str]) -> MatrixConnector:
    async def report(text: str) -> None:
        reports.append(text)

    return MatrixConnector(
        url, USER, ROOM, "token", may_invite=_nobody, report=report, contents=MemoryContents()
    )


async def test_a_wrong_token_is_a_set_up_matter(matrix_town: Town) -> None:
    _, bot = await meet(matrix_town)
    connector = bot.connector(access_token="wrong")
    with pytest.raises(SetupError, match="M_UNKNOWN_TOKEN") as error:
        await connector.subscribe(Ear().accept, None)
    assert "wrong" not in str(error.value)
    health = await connector.health()
    assert (health.reachable, health.authenticated, health.state) == (True, False, "refused")
    with pytest.raises(SetupError):
        await connector.send(message(bot.room_id, "hello"))
    await connector.close()


async def test_another_account_s_token_is_a_set_up_matter(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    connector = bot.connector(access_token=ann.account.token)
    with pytest.raises(SetupError, match=f"belongs to {ann.user_id}"):
        await connector.subscribe(Ear().accept, None)
    await connector.close()
    connector = bot.connector(device_id="OTHER")
    with pytest.raises(SetupError, match="MATRIX_DEVICE_ID is OTHER"):
        await connector.subscribe(Ear().accept, None)
    await connector.close()


async def test_a_homeserver_that_was_never_reached_is_away() -> None:
    connector = _connector(f"http://127.0.0.1:{free_port()}", [])
    with pytest.raises(TransientError, match="is away"):
        await connector.subscribe(Ear().accept, None)
    with pytest.raises(TransientError, match="is away"):
        await connector.send(message(ROOM, "hello"))
    health = await connector.health()
    assert (health.reachable, health.state) == (False, "away")
    await connector.close()


async def test_a_closed_connector_opens_nothing_again(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    connector = bot.connector()
    await connector.send(message(bot.room_id, "said"))
    await connector.close()
    with pytest.raises(TransientError, match="closed"):
        await connector.send(message(bot.room_id, "too late"))
    await connector.close()
    assert [said["body"] for said in await ann.spoken(bot.room_id, bot.user_id)] == ["said"]


async def test_an_address_that_is_none_is_a_set_up_matter() -> None:
    connector = _connector("matrix.example.org", [])
    with pytest.raises(SetupError, match="homeserver_url"):
        await connector.subscribe(Ear().accept, None)
    await connector.close()


async def test_a_revoked_token_ends_the_loop(matrix_town: Town) -> None:
    _, bot = await meet(matrix_town)
    ear = Ear()
    connector = bot.connector()
    task = asyncio.create_task(connector.subscribe(ear.accept, None))
    await until(lambda: ear.batches, what="a listening bot")
    await matrix_town.client(bot.account).client.logout()
    await asyncio.wait([task], timeout=10)
    await connector.close()
    assert isinstance(task.exception(), SetupError)


async def is_away(connector: MatrixConnector) -> bool:
    return not (await connector.health()).reachable


async def test_the_loop_outlives_a_killed_homeserver(matrix_town: Town) -> None:
    ann, bot = await meet(matrix_town)
    ear = Ear()
    async with bot.listening(ear) as connector:
        await ann.say(bot.room_id, "before")
        await until(lambda: "before" in ear.texts, what="the text before")
        said = message(bot.room_id, "said once")
        first = await connector.send(said)
        matrix_town.synapse.kill()
        await matrix_town.synapse.wait()
        with pytest.raises(TransientError):
            await connector.send(message(bot.room_id, "nobody hears it"))
        await until(lambda: is_away(connector), what="health that says so")
        await matrix_town.synapse.start()
        again = await connector.send(said)
        await ann.say(bot.room_id, "after")
        await until(lambda: "after" in ear.texts, what="the text after")
        assert (await connector.health()).state == "listening"
    assert again.platform_id == first.platform_id
    assert ear.texts == ["before", "after"]


async def test_a_limit_of_the_homeserver_is_told_with_its_own_wait(
    limited_matrix_town: Town,
) -> None:
    ann, bot = await meet(limited_matrix_town)
    connector = bot.connector()
    began = time.monotonic()
    waits: list[timedelta | None] = []
    for number in range(60):
        try:
            await connector.send(message(bot.room_id, f"{number}"))
        except TransientError as error:
            waits.append(error.retry_after)
            break
    await connector.close()
    assert time.monotonic() - began < 8
    [wait] = waits
    assert wait is not None
    assert timedelta() < wait < timedelta(seconds=30)
    assert len(await ann.spoken(bot.room_id, bot.user_id)) == number


async def test_both_words_for_a_wait_are_honoured_when_sending() -> None:
    async with stub_homeserver(lambda n: synced("p")) as stub:
        connector = _connector(stub.url, [])
        for more, seconds in (
            ({"retry_after_ms": 1500}, 1.5),
            ({"headers": {"Retry-After": "7"}}, 7.0),
            ({"retry_after_ms": 9000, "headers": {"Retry-After": "7"}}, 9.0),
        ):
            stub.sends = refused(429, "M_LIMIT_EXCEEDED", **more)
            with pytest.raises(TransientError) as error:
                await connector.send(message(ROOM, "hello"))
            assert error.value.retry_after == timedelta(seconds=seconds)
        stub.sends = web.Response(status=502, text="<html>proxy", content_type="text/html")
        with pytest.raises(TransientError, match="502"):
            await connector.send(message(ROOM, "hello"))
        await connector.close()


async def test_a_storm_of_500s_is_met_with_patience_and_is_over_when_it_is() -> None:
    def play(number: int) -> web.Response:
        if 2 <= number <= 4:
            return refused(500, "M_UNKNOWN")
        return synced(f"p{number}")

    ear = Ear()
    async with stub_homeserver(play) as stub:
        connector = _connector(stub.url, [])
        task = asyncio.create_task(connector.subscribe(ear.accept, None))
        await until(lambda: len(stub.times) >= 2, what="the first 500")
        await until(lambda: connector._loop.failure, what="the failure")
        health = await connector.health()
        assert "500" in health.detail
        await until(lambda: len(stub.times) >= 5, what="the sync after them")
        waits = [
            later - sooner for sooner, later in zip(stub.times[1:], stub.times[2:], strict=False)
        ]
        assert waits[0] >= 0.12
        assert waits[1] >= 0.25
        assert waits[2] >= 0.5
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connector.close()
    assert stub.queries[0]["timeout"] == "0"
    assert stub.queries[1]["timeout"] == "30000"
    assert {query.get("since") for query in stub.queries[1:5]} == {"p1"}
    assert stub.queries[4]["timeout"] == "0"


async def test_a_server_that_does_not_hold_requests_is_not_hammered() -> None:
    async with stub_homeserver(lambda n: synced("same")) as stub:
        connector = _connector(stub.url, [])
        task = asyncio.create_task(connector.subscribe(Ear().accept, None))
        await until(lambda: len(stub.times) >= 4, what="some syncs")
        assert stub.times[3] - stub.times[0] > 0.35
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connector.close()


async def test_a_page_that_is_no_homeserver_is_away() -> None:
    page = web.Response(text="<html>welcome", content_type="text/html")
    async with stub_homeserver(lambda n: page) as stub:
        connector = _connector(stub.url, [])
        with pytest.raises(TransientError):
            await connector.subscribe(Ear().accept, None)
        stub.play = lambda n: web.json_response({"rooms": []})
        with pytest.raises(TransientError, match="not Matrix"):
            await connector.subscribe(Ear().accept, None)
        await connector.close()
