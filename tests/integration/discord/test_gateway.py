"""The line to Discord's gateway: what ends it, what does not, and what is lost meanwhile: nothing."""

import asyncio
from datetime import timedelta

import pytest

from bot.errors import SetupError, TransientError
from connectors.discord.connector import DiscordConnector
from connectors.stage import Ledger, listening
from tests.fakes.tenure import MemoryTenure
from tests.stages.discord import DiscordStage
from tests.stages.discord_stand_in.gateway import INVALID, RECONNECT
from tests.stages.discord_stand_in.payloads import DIRECT, guild_payload
from tests.waiting import until

_CUT = 1006
"""How a line looks that was cut without a word (RFC 6455, section 7.4.1)."""


async def ends(connector: DiscordConnector, ledger: Ledger | None = None) -> None:
    """Subscribe until it fails, which must happen soon."""
    async with asyncio.timeout(15):
        await connector.subscribe((ledger or Ledger()).accept, None)


@pytest.mark.parametrize("code", [4000, 4001, 4007, 4008, 4009, 1000, 1001, _CUT])
async def test_a_line_that_is_closed_is_resumed_and_nothing_is_missed(
    stage: DiscordStage, code: int
) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        await ledger.arrival(await stage.speak("before"))
        if code == _CUT:
            stage.stand_in.gateway.abort()
        else:
            await stage.stand_in.gateway.drop(code)
        await ledger.arrival(await stage.speak("while it was closed"))
    assert ledger.texts() == ["before", "while it was closed"]
    assert (stage.stand_in.gateway.identified, stage.stand_in.gateway.resumed) == (1, 1)


@pytest.mark.parametrize(("op", "data"), [(RECONNECT, None), (INVALID, True)])
async def test_who_is_asked_to_come_again_resumes(
    stage: DiscordStage, op: int, data: bool | None
) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        await stage.stand_in.gateway.say(op, data)
        await until(lambda: stage.stand_in.gateway.resumed == 1)
        await ledger.arrival(await stage.speak("after"))
    assert stage.stand_in.gateway.identified == 1


async def test_a_session_that_is_void_is_begun_anew_and_what_was_missed_is_read_back(
    stage: DiscordStage,
) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        await ledger.arrival(await stage.speak("before"))
        await stage.stand_in.gateway.say(INVALID, data=False)
        await until(lambda: stage.stand_in.gateway.connected == 0)
        stage.stand_in.gateway.forget_sessions()
        missed = await ledger.arrival(await stage.speak("missed"))
        await ledger.arrival(await stage.speak("after"))
    assert ledger.texts() == ["before", "missed", "after"]
    assert missed.recovered
    assert stage.stand_in.gateway.identified == 2


async def test_a_session_that_discord_forgot_meanwhile_is_begun_anew(stage: DiscordStage) -> None:
    ledger = Ledger()
    async with listening(stage, ledger):
        await stage.cut()
        stage.stand_in.gateway.forget_sessions()
        await stage.speak("missed")
        await stage.restore()
        await ledger.arrival(await stage.speak("after"))
    assert ledger.texts() == ["missed", "after"]
    assert stage.stand_in.gateway.identified == 2


async def test_a_token_that_discord_does_not_know_needs_a_person(stage: DiscordStage) -> None:
    with pytest.raises(SetupError, match="does not know the bot's token") as found:
        await ends(stage.connect(token="wrong"))
    assert "DISCORD_BOT_TOKEN" in (found.value.hint or "")


@pytest.mark.parametrize(("code", "word"), [(4004, "any more"), (4013, "close code 4013")])
async def test_a_line_that_discord_closes_for_good_needs_a_person(
    stage: DiscordStage, code: int, word: str
) -> None:
    stage.stand_in.gateway.closes_with = lambda: code
    with pytest.raises(SetupError, match=word):
        await ends(stage.connect())


async def test_without_the_intent_for_words_it_goes_on_with_what_calls_it_and_says_so(
    stage: DiscordStage,
) -> None:
    stage.bot.reads_words = False
    stage.connector = stage.connect(look_again=timedelta(milliseconds=50))
    ledger = Ledger()
    async with listening(stage, ledger):
        health = await stage.connector.health()
        assert health.safe_mode
        assert "Message Content Intent" in health.detail
        await stage.speak("!backlog list")
        called = await stage.speak(f"<@{stage.bot.user.id}> !backlog list")
        assert (await ledger.arrival(called)).text == "!backlog list"
        assert ledger.texts() == ["!backlog list"]
        stage.bot.reads_words = True
        await ledger.arrival(await stage.speak("and now everything"))
        assert not (await stage.connector.health()).safe_mode


async def test_a_bot_that_was_put_out_of_its_server_says_so_until_it_is_let_in_again(
    stage: DiscordStage,
) -> None:
    async def is_up() -> bool:
        return (await stage.connector.health()).reachable

    async def is_out() -> bool:
        return "not in its server" in (await stage.connector.health()).detail

    async with listening(stage, Ledger()):
        assert await is_up()
        stage.world.tell("GUILD_DELETE", {"id": stage.world.guild_id})
        await until(is_out)
        assert not await is_up()
        stage.world.tell(
            "GUILD_CREATE", guild_payload(stage.world.guild_id, [stage.channel], stage.bot.user)
        )
        await until(is_up)


async def test_a_bot_that_may_not_connect_any_more_today_waits_and_says_so(
    stage: DiscordStage,
) -> None:
    stage.bot.knocks = 0
    listening_to = asyncio.create_task(stage.connector.subscribe(Ledger().accept, None))

    async def detail() -> bool:
        return "connect again in 0:01:00" in (await stage.connector.health()).detail

    await until(detail)
    assert stage.stand_in.gateway.identified == 0
    listening_to.cancel()
    await asyncio.gather(listening_to, return_exceptions=True)


async def test_a_second_process_is_refused_as_long_as_the_first_is_there(
    stage: DiscordStage,
) -> None:
    tenure, ledger = MemoryTenure(), Ledger()

    def connect() -> DiscordConnector:
        return stage.connect(sole=lambda: tenure.hold("bot"))

    stage.connector = connect()
    async with listening(stage, ledger):
        with pytest.raises(SetupError, match="another process"):
            await ends(connect())
        assert stage.stand_in.gateway.identified == 1
    stage.connector = connect()
    async with listening(stage, ledger):
        await ledger.arrival(await stage.speak("to the second one"))


async def test_who_loses_the_right_to_be_the_bot_hangs_up(stage: DiscordStage) -> None:
    tenure = MemoryTenure()
    connector = stage.connect(sole=lambda: tenure.hold("bot"))
    subscribed = asyncio.create_task(connector.subscribe(Ledger().accept, None))
    await until(lambda: stage.stand_in.gateway.connected == 1)
    await tenure.break_off()
    with pytest.raises(TransientError, match="lock"):
        await subscribed
    await until(lambda: stage.stand_in.gateway.connected == 0)


@pytest.mark.parametrize(
    ("changes", "word"),
    [({"channel_id": "1"}, "Unknown Channel"), ({"guild_id": "12"}, "not in 12")],
)
async def test_a_channel_that_is_not_there_needs_a_person(
    stage: DiscordStage, changes: dict[str, str], word: str
) -> None:
    with pytest.raises(SetupError, match=word):
        await ends(stage.connect(**changes))


@pytest.mark.parametrize("guild_id", ["", "12"])
async def test_a_channel_that_is_in_no_server_needs_a_person(
    stage: DiscordStage, guild_id: str
) -> None:
    stage.channel.kind = DIRECT
    with pytest.raises(SetupError, match="is in no server") as found:
        await ends(stage.connect(guild_id=guild_id))
    assert "channel_id" in (found.value.hint or "")


async def test_a_channel_that_the_bot_was_not_let_into_needs_a_person(stage: DiscordStage) -> None:
    stage.channel.hidden = True
    with pytest.raises(SetupError, match="Missing Access"):
        await ends(stage.connect())


async def test_while_discord_is_away_at_the_start_it_is_tried_again(stage: DiscordStage) -> None:
    await stage.cut()
    with pytest.raises(TransientError, match="no line to Discord"):
        await ends(stage.connect())
