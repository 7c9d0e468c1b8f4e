"""`mosaic connector discord` against a stand-in for Discord's REST: by flags, and by questions."""

import asyncio
import json
import os
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import TextIO, cast

import pytest
from aiohttp import web

from bot.config.credentials import Credentials
from bot.config.places import Places
from bot.config.settings import load_settings
from bot.errors import UsageError, UserError
from bot.reply import Fields, Text
from connectors.discord.permissions import NEEDED, invite_link
from fleet.roster.file import load
from tests.stages.discord_office import (
    ALL_NEEDED,
    CHANNEL_ID,
    CONTENT_LIMITED,
    GUILD_ID,
    TOKEN,
    DiscordOffice,
)
from tests.stages.discord_set_up import GIVEN, refusal, set_up, talk_of

MATRIX = (
    "version: 1\n"
    "connector: {kind: matrix, matrix: {homeserver_url: 'https://e.org', user_id: '@m:e.org', room_id: '!r:e.org'}}\n"
    "agents: []  # nobody yet\n"
)


async def test_one_server_and_a_channel_are_enough(places: Places, office: DiscordOffice) -> None:
    data, blocks = await set_up(places, "--channel-id", CHANNEL_ID)
    assert data["works"] is True
    assert data["bot"] == {"id": "900", "name": "mosaic"}
    roster = load(places.roster_file)
    assert roster.connector.kind == "discord"
    assert roster.connector.discord is not None
    assert roster.connector.discord.guild_id == GUILD_ID
    assert roster.connector.discord.channel_id == CHANNEL_ID
    assert office.standing == set(), "what was said to try it is taken back"
    (said,) = [body for body in office.bodies if body]
    assert said["allowed_mentions"] == {"parse": []}
    assert not places.secrets_directory.exists(), "the environment has the token"
    assert ("channel", f"#ops ({CHANNEL_ID})") in next(
        block.pairs for block in blocks if isinstance(block, Fields)
    )


async def test_a_token_from_a_file_is_kept_where_the_daemon_finds_it(
    places: Places, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    words = ["--token-file", str(file), f"--channel-id={CHANNEL_ID}"]
    data, blocks = await set_up(places, *words, environ={})
    kept = places.secrets_directory / "discord_bot_token"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(places.secrets_directory.stat().st_mode) == 0o700
    assert str(kept) in data["written"]
    credentials = Credentials({}, places.secrets_directory)
    assert credentials.get("DISCORD_BOT_TOKEN") == TOKEN
    assert credentials.redact(f"a {TOKEN}") == "a [redacted]"
    assert TOKEN not in json.dumps(data) + repr(blocks)
    again, _ = await set_up(places, "--channel-id", CHANNEL_ID, "--check", environ={})
    assert again["works"] is True


async def test_a_roster_with_another_platform_gets_one_more(places: Places) -> None:
    places.roster_file.write_text(MATRIX)
    await set_up(places, "--channel-id", CHANNEL_ID)
    roster = load(places.roster_file)
    assert roster.connector.kind == "matrix"
    assert [block.kind for block in roster.connectors] == ["discord"]
    assert "agents: []  # nobody yet" in places.roster_file.read_text()
    await set_up(places, "--channel-id", "711")
    (block,) = load(places.roster_file).connectors
    assert block.discord is not None
    assert block.discord.channel_id == "711", "it is changed, not added once more"


async def test_operators_are_named_in_the_settings_or_a_person_is_told(places: Places) -> None:
    await set_up(places, "--channel-id", CHANNEL_ID, "--operators", "discord:1, 2")
    assert load_settings(places, {}).access.operators == ("discord:1", "discord:2")
    data, _ = await set_up(places, "--channel-id", CHANNEL_ID, "--operators", "3")
    assert "discord:3" in data["notes"][0]


async def test_whoever_names_nobody_is_told_that_nobody_may_speak_yet(places: Places) -> None:
    data, blocks = await set_up(
        places, "--channel-id", CHANNEL_ID, environ={"DISCORD_BOT_TOKEN": TOKEN}
    )
    (note,) = data["notes"]
    assert "nobody on Discord is an operator yet" in note
    assert note in "\n".join(block.text for block in blocks if isinstance(block, Text))


async def test_a_check_looks_at_the_channel_that_the_roster_names(places: Places) -> None:
    await set_up(places, "--channel-id", "711")
    data, _ = await set_up(places, "--check")
    assert (data["channel"]["id"], data["written"]) == ("711", [])


async def test_a_check_writes_nothing(places: Places, office: DiscordOffice) -> None:
    office.flags, office.everyone, office.sessions = 0, ALL_NEEDED & ~NEEDED["Embed Links"], 0
    data, blocks = await set_up(places, "--check", "--channel-id", CHANNEL_ID)
    assert data["works"] is False
    assert data["message_content"] is False
    assert data["missing_permissions"] == ["Embed Links"]
    assert (data["written"], places.roster_file.exists()) == ([], False)
    assert "POST" not in {call.split()[0] for call in office.asked}, "it cannot speak there well"
    pairs = dict(next(block.pairs for block in blocks if isinstance(block, Fields)))
    assert pairs["people's words"].endswith("/applications/901/bot")


async def test_what_a_channel_denies_is_missing_whatever_the_server_grants(
    places: Places, office: DiscordOffice
) -> None:
    deny, allow = str(NEEDED["Send Messages"] | NEEDED["View Channel"]), str(NEEDED["View Channel"])
    office.overwrites = [
        {"id": GUILD_ID, "type": 0, "allow": "0", "deny": deny},
        {"id": "900", "type": 1, "allow": allow, "deny": "0"},
    ]
    data, _ = await set_up(places, "--check", "--channel-id", CHANNEL_ID)
    assert data["missing_permissions"] == ["Send Messages"]


async def test_an_administrator_lacks_nothing(places: Places, office: DiscordOffice) -> None:
    office.everyone = 1 << 3
    office.overwrites = [{"id": "900", "type": 1, "allow": "0", "deny": str(ALL_NEEDED)}]
    data, _ = await set_up(places, "--check", "--channel-id", CHANNEL_ID)
    assert data["missing_permissions"] == []


async def test_what_is_missing_is_said_with_what_there_is(
    places: Places, office: DiscordOffice
) -> None:
    missing = await refusal(places)
    assert missing.message == "--channel-id is missing; The office has: 710 (#ops), 711 (#general)"
    unknown = await refusal(places, "--channel-id", "42")
    assert "has no text channel 42; it has: 710 (#ops)" in unknown.message
    office.guilds.append({"id": "800", "name": "Home"})
    several = await refusal(places, "--channel-id", CHANNEL_ID)
    assert "--guild-id is missing; the bot is in: 700 (The office), 800 (Home)" in several.message
    office.guilds.clear()
    outside = await refusal(places, "--guild-id", "700")
    assert outside.code == "not_in_guild"
    assert outside.hint == f"let it in: {invite_link('901', '700')}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--guild-id", "ops"], "--guild-id: 'ops' is no id"),
        (["--channel-id", "٣"], "is no id"),
        (["--operators", "@ann"], "'@ann' is no Discord user id"),
        (["--channel-id"], "--channel-id needs a value"),
        (["matrix"], "'matrix' is not known; usage: mosaic connector discord"),
    ],
)
async def test_bad_words_are_named(places: Places, words: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("[", r"\[")):
        await set_up(places, *words)


async def test_a_token_that_is_none_is_never_shown(places: Places, tmp_path: Path) -> None:
    wrong = await refusal(places, environ={"DISCORD_BOT_TOKEN": "x" * 60})
    assert wrong.code == "wrong_token"
    file = tmp_path / "token"
    file.write_text("two\nlines of something secret here")
    malformed = await refusal(places, "--token-file", str(file), environ={})
    assert "no bot token" in malformed.message
    assert "secret" not in malformed.message
    assert (await refusal(places, environ={})).code == "no_token"
    injected = await refusal(places, environ={"DISCORD_BOT_TOKEN": f"{TOKEN}\nX-Evil: 1"})
    assert "no bot token" in injected.message


async def test_limits_and_outages_are_waited_out(places: Places, office: DiscordOffice) -> None:
    office.refusals = [
        web.json_response({"retry_after": 0.05}, status=429, headers={"Retry-After": "0.05"}),
        web.Response(status=502),
    ]
    data, _ = await set_up(places, "--check", "--channel-id", CHANNEL_ID)
    assert data["works"] is True
    assert office.asked[:3] == ["GET /users/@me"] * 3
    office.refusals = [web.Response(status=429, headers={"Retry-After": "600"})]
    assert (await refusal(places, "--check")).code == "unavailable"


async def test_a_token_is_sent_nowhere_else(places: Places, office: DiscordOffice) -> None:
    office.refusals = [web.Response(status=302, headers={"Location": f"{office.url}/elsewhere"})]
    assert "302" in (await refusal(places, "--check")).message
    assert office.asked == ["GET /users/@me"]


async def test_what_is_not_discord_is_said(places: Places, office: DiscordOffice) -> None:
    office.refusals = [web.Response(text="<html>hello</html>")]
    failure = await refusal(places, "--check")
    assert (failure.code, "api_url" in str(failure.hint)) == ("setup", True)


async def test_a_person_is_led_from_a_token_to_a_channel(
    places: Places, office: DiscordOffice
) -> None:
    office.flags = 0
    office.guilds.append({"id": "800", "name": "Home"})
    # intent on, server 1, channel by its number, its cards there too, try it, write it
    talk, paper = talk_of("y", "1", "1", "", "", "y", hidden=["short", "y" * 60, TOKEN])
    data, blocks = await set_up(places, environ={}, talk=talk)
    assert data["works"] is True
    assert office.flags == CONTENT_LIMITED
    said = paper.getvalue()
    assert "that is no bot token" in said
    assert "Discord does not know this token" in said
    assert TOKEN not in said
    assert any("Next: mosaic up" in block.text for block in blocks if isinstance(block, Text))
    assert Credentials({}, places.secrets_directory).get("DISCORD_BOT_TOKEN") == TOKEN


async def test_what_discord_does_not_let_us_switch_on_a_person_does(
    places: Places, office: DiscordOffice
) -> None:
    office.flags, office.lets_flags = 0, False
    talk, paper = talk_of("y", "y", "", "1", "", "y", "n")
    data, _ = await set_up(places, talk=talk)
    assert data["message_content"] is False
    assert "Invalid Form Body" in paper.getvalue()
    assert "/applications/901/bot, Privileged Gateway Intents" in paper.getvalue()
    assert data["written"] == [], "the person did not want it written"


async def test_a_bot_that_is_nowhere_gets_its_link_until_it_is_in(
    places: Places, office: DiscordOffice
) -> None:
    there, office.guilds = office.guilds, []

    talk, paper = talk_of("y", "not yet", "now", "1", "", "n", "y")

    class Waits:
        def readline(self) -> str:
            line = talk.lines.readline()
            if line == "now\n":
                office.guilds = there
            return line

    await set_up(places, talk=replace(talk, lines=cast("TextIO", Waits())))
    assert paper.getvalue().count(invite_link("901")) == 2
    assert load(places.roster_file).connector.kind == "discord"


async def test_missing_permissions_are_looked_at_again(
    places: Places, office: DiscordOffice
) -> None:
    office.everyone = 0
    talk, paper = talk_of("y", "1", "", "y", "n", "n")
    data, _ = await set_up(places, talk=talk)
    assert set(data["missing_permissions"]) == set(NEEDED)
    assert paper.getvalue().count("In #ops the bot lacks: Add Reactions, View Channel") == 2
    assert invite_link("901", GUILD_ID) in paper.getvalue()


async def test_who_leaves_changes_nothing(places: Places) -> None:
    talk, _ = talk_of()
    with pytest.raises(UserError, match="nothing was done"):
        await set_up(places, environ={}, talk=talk)
    assert not places.roster_file.exists()


def test_the_link_asks_for_the_least() -> None:
    assert f"permissions={ALL_NEEDED}" in invite_link("901")
    assert "scope=bot+applications.commands" in invite_link("901")


async def test_the_command_prints_one_document(places: Places, office: DiscordOffice) -> None:
    environ = {**os.environ, **GIVEN, "MOSAIC_HOME": str(places.home)}
    words = ["connector", "discord", "--check", "--channel-id", CHANNEL_ID, "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *words,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert json.loads(out)["works"] is True
    assert TOKEN.encode() not in out
