"""`mosaic connector discord` and the channel where cards get their threads: by flag, by question, and at a check."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any

import pytest

from bot.config.places import Places
from bot.config.settings import load_settings
from bot.errors import UsageError
from bot.reply import Block, Fields, Text
from connectors.discord.permissions import MANAGE_CHANNELS, NEEDED
from tests.stages.discord_office import ALL_NEEDED, CHANNEL_ID, GUILD_ID, DiscordOffice
from tests.stages.discord_set_up import GIVEN, refusal, set_up, talk_of

FORUM_ID, STATUSES = "712", ("ready", "claimed", "blocked", "done")
AS_EVER = ("--channel-id", CHANNEL_ID)
VARIABLE = "MOSAIC_CONNECTORS_DISCORD_CARDS_CHANNEL_ID"


@pytest.fixture
def forum(office: DiscordOffice) -> dict[str, Any]:
    """Add a forum to the office, with all tags."""
    made: dict[str, Any] = {
        "id": FORUM_ID,
        "type": 15,
        "name": "cards",
        "permission_overwrites": [],
        "available_tags": [{"id": str(720 + n), "name": one} for n, one in enumerate(STATUSES)],
    }
    office.further.append(made)
    return made


@pytest.fixture
def environ(places: Places, office: DiscordOffice) -> dict[str, str]:
    """Lead to the office by a variable, so that the settings have no section of Discord."""
    places.settings_file.write_text("[log]\nlevel = 'debug'  # for now\n")
    return {**GIVEN, "MOSAIC_CONNECTORS_DISCORD_API_URL": office.url}


def denial(*names: str) -> list[dict[str, Any]]:
    bits = sum(NEEDED[name] for name in names)
    return [{"id": GUILD_ID, "type": 0, "allow": "0", "deny": str(bits)}]


def pairs_of(blocks: Sequence[Block]) -> dict[str, str]:
    return dict(next(block.pairs for block in blocks if isinstance(block, Fields)))


def lines_of(blocks: Sequence[Block]) -> str:
    return "\n".join(block.text for block in blocks if isinstance(block, Text))


def set_in_force(places: Places, channel_id: str) -> str:
    text = places.settings_file.read_text() + f'cards_channel_id = "{channel_id}"  # ours\n'
    places.settings_file.write_text(text)
    return text


# -- by flag -----------------------------------------------------------------------------------------


async def test_a_text_channel_is_written_into_the_settings(
    places: Places, environ: dict[str, str]
) -> None:
    data, blocks = await set_up(places, *AS_EVER, "--cards-channel-id=711", environ=environ)
    assert data["works"] is True
    assert data["cards_channel"] == {"id": "711", "name": "general"}
    assert str(places.settings_file) in data["written"]
    assert pairs_of(blocks)["threads of cards"] == "#general (711)"
    assert load_settings(places, {}).connectors.discord.cards_channel_id == "711"
    assert places.settings_file.read_text().startswith("[log]\nlevel = 'debug'  # for now\n\n")


@pytest.mark.usefixtures("forum")
async def test_a_forum_is_one_too_and_nothing_is_said_there(
    places: Places, environ: dict[str, str], office: DiscordOffice
) -> None:
    words = [*AS_EVER, "--cards-channel-id", FORUM_ID, "--operators", "1"]
    data, blocks = await set_up(places, *words, environ=environ)
    assert (data["works"], data["notes"]) == (True, []), "its tags are all there"
    assert data["cards_channel"] == {"id": FORUM_ID, "name": "cards"}
    assert pairs_of(blocks)["threads of cards"] == f"#cards, a forum ({FORUM_ID})"
    kept = load_settings(places, {})
    assert kept.connectors.discord.cards_channel_id == FORUM_ID
    assert kept.access.operators == ("discord:1",)
    assert data["written"].count(str(places.settings_file)) == 1
    posts = [call for call in office.asked if call.startswith("POST")]
    assert posts == [f"POST /channels/{CHANNEL_ID}/messages"]


async def test_without_the_flag_nothing_changes(places: Places, environ: dict[str, str]) -> None:
    before = places.settings_file.read_text()
    data, blocks = await set_up(places, *AS_EVER, environ=environ)
    assert data["cards_channel"] is None
    assert pairs_of(blocks)["threads of cards"] == "the same channel"
    assert places.settings_file.read_text() == before
    assert str(places.settings_file) not in data["written"]


async def test_the_primary_channel_is_no_channel_of_its_own(
    places: Places, environ: dict[str, str]
) -> None:
    before = places.settings_file.read_text()
    data, _ = await set_up(places, *AS_EVER, "--cards-channel-id", CHANNEL_ID, environ=environ)
    assert (data["cards_channel"], data["notes"]) == (None, [])
    assert places.settings_file.read_text() == before


@pytest.mark.parametrize(("said", "line"), [("711", '"711"'), (CHANNEL_ID, '""')])
async def test_where_the_section_is_there_a_person_is_told_what_to_write(
    places: Places, said: str, line: str
) -> None:
    before = set_in_force(places, "42")
    data, blocks = await set_up(places, *AS_EVER, "--cards-channel-id", said)
    (note,) = data["notes"]
    has = f"{places.settings_file} has [connectors.discord] already"
    assert note == f"{has}; say there: cards_channel_id = {line}"
    assert note in lines_of(blocks)
    assert places.settings_file.read_text() == before
    assert str(places.settings_file) not in data["written"]


async def test_what_is_in_force_already_is_not_written_again(places: Places) -> None:
    before = set_in_force(places, "711")
    data, _ = await set_up(places, *AS_EVER, "--cards-channel-id", "711")
    assert data["notes"] == []
    assert places.settings_file.read_text() == before
    as_primary, _ = await set_up(places, "--channel-id", "711", "--cards-channel-id", "711")
    assert (as_primary["cards_channel"], as_primary["notes"]) == (None, [])


@pytest.mark.parametrize(("said", "advice"), [("711", "set it to 711"), ("710", "take it away")])
async def test_a_variable_that_goes_before_the_file_is_named(
    places: Places, environ: dict[str, str], said: str, advice: str
) -> None:
    before = places.settings_file.read_text()
    words = [*AS_EVER, "--cards-channel-id", said]
    data, _ = await set_up(places, *words, environ={**environ, VARIABLE: "42"})
    (note,) = data["notes"]
    assert note == f"{VARIABLE} says 42 and goes before {places.settings_file}; {advice}"
    assert places.settings_file.read_text() == before


@pytest.mark.parametrize("text", ["connectors = {}\n", "connectors.discord.guild_id = '700'\n"])
async def test_a_file_that_takes_no_section_stays_as_it_is(
    places: Places, environ: dict[str, str], text: str
) -> None:
    places.settings_file.write_text(text)
    data, _ = await set_up(places, *AS_EVER, "--cards-channel-id", "711", environ=environ)
    assert "say there: cards_channel_id" in data["notes"][0]
    assert places.settings_file.read_text() == text


async def test_other_platforms_keep_their_sections(places: Places, environ: dict[str, str]) -> None:
    places.settings_file.write_text("[connectors.matrix]\ntrust = 'verified'")
    await set_up(places, *AS_EVER, "--cards-channel-id", "711", environ=environ)
    assert tomllib.loads(places.settings_file.read_text())["connectors"] == {
        "matrix": {"trust": "verified"},
        "discord": {"cards_channel_id": "711"},
    }


# -- what is refused ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("forum")
async def test_a_wrong_id_is_refused_with_what_there_is(
    places: Places, office: DiscordOffice
) -> None:
    unknown = await refusal(places, *AS_EVER, "--cards-channel-id", "701")
    assert unknown.code == "not_found"
    assert unknown.message == (
        "The office has no text channel or forum 701;"
        " it has: 710 (#ops), 711 (#general), 712 (#cards, a forum)"
    )
    primary = await refusal(places, "--channel-id", FORUM_ID)
    assert primary.message == (
        f"The office has no text channel {FORUM_ID}; it has: 710 (#ops), 711 (#general)"
    )
    assert not places.roster_file.exists()
    assert "POST" not in {call.split()[0] for call in office.asked}


@pytest.mark.parametrize("said", ["#cards", "٣", "1" * 21])
async def test_what_is_no_id_is_named(places: Places, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"--cards-channel-id: {said!r} is no id")):
        await set_up(places, *AS_EVER, "--cards-channel-id", said)


# -- what the bot lacks there ------------------------------------------------------------------------


async def test_permissions_that_are_missing_there_are_shown_with_its_name(
    places: Places, forum: dict[str, Any], office: DiscordOffice
) -> None:
    forum["permission_overwrites"] = denial("Send Messages in Threads", "Create Public Threads")
    data, blocks = await set_up(places, *AS_EVER, "--cards-channel-id", FORUM_ID)
    assert data["works"] is False
    assert data["missing_permissions"] == []
    assert data["cards_missing_permissions"] == ["Send Messages in Threads"], (
        "a post needs no Create Public Threads"
    )
    assert pairs_of(blocks)["permissions"] == "missing in #cards: Send Messages in Threads"
    office.overwrites = denial("Embed Links")
    _, both = await set_up(places, *AS_EVER, "--check", "--cards-channel-id", FORUM_ID)
    assert pairs_of(both)["permissions"] == (
        "missing in #ops: Embed Links; missing in #cards: Send Messages in Threads"
    )


async def test_a_text_channel_needs_the_right_to_begin_threads(
    places: Places, office: DiscordOffice
) -> None:
    office.further.append(
        {
            "id": "713",
            "type": 0,
            "name": "work",
            "permission_overwrites": denial("Create Public Threads"),
        }
    )
    data, _ = await set_up(places, *AS_EVER, "--cards-channel-id", "713")
    assert data["cards_missing_permissions"] == ["Create Public Threads"]


async def test_who_makes_tags_is_said_where_some_are_missing(
    places: Places, forum: dict[str, Any], office: DiscordOffice
) -> None:
    words = (*AS_EVER, "--check", "--cards-channel-id", FORUM_ID)
    del forum["available_tags"][2:]
    data, blocks = await set_up(places, *words)
    assert data["works"] is True, "it is not needed"
    assert data["notes"] == [
        (
            "#cards has no tags for cards that are blocked, done: the bot makes them only with"
            " Manage Channels there; else make them by hand"
        )
    ]
    assert data["notes"][0] in lines_of(blocks)
    office.everyone = ALL_NEEDED | MANAGE_CHANNELS
    data, _ = await set_up(places, *words)
    assert data["notes"] == []


# -- by question -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("forum")
async def test_a_person_chooses_among_all_channels_and_forums(
    places: Places, environ: dict[str, str]
) -> None:
    # use the token, channel 1, threads in the third, try it, write it
    talk, paper = talk_of("y", "1", "3", "y", "y")
    data, _ = await set_up(places, environ=environ, talk=talk)
    assert data["cards_channel"] == {"id": FORUM_ID, "name": "cards"}
    assert load_settings(places, {}).connectors.discord.cards_channel_id == FORUM_ID
    primary, _, cards = paper.getvalue().partition("Where do cards get their threads?")
    assert "forum" not in primary, "nobody is talked to in a forum"
    shown = [" ".join(line.split()) for line in cards.splitlines()[1:4]]
    assert shown == [
        "1 710 #ops, the same channel",
        "2 711 #general",
        "3 712 #cards, a forum",
    ]
    assert "Which? [710]" in cards
    assert "Say a word in #ops, and take it back?" in cards


async def test_an_empty_answer_is_the_same_channel_or_what_is_in_force(places: Places) -> None:
    talk, _ = talk_of("y", "1", "", "y", "y")
    data, _ = await set_up(places, talk=talk)
    assert (data["cards_channel"], data["notes"]) == (None, [])
    set_in_force(places, "711")
    talk, paper = talk_of("y", "1", "", "y", "y")
    data, _ = await set_up(places, talk=talk)
    assert data["cards_channel"] == {"id": "711", "name": "general"}
    assert "Which? [711]" in paper.getvalue()
    assert data["notes"] == []


async def test_a_flag_leaves_no_question(places: Places, forum: dict[str, Any]) -> None:
    forum["permission_overwrites"] = denial("View Channel")
    # use the token, look again at the forum, do not, try it, write it
    talk, paper = talk_of("y", "y", "n", "y", "y")
    words = (*AS_EVER, "--cards-channel-id", FORUM_ID)
    data, _ = await set_up(places, *words, talk=talk)
    assert data["works"] is False
    assert "Where do cards" not in paper.getvalue()
    assert paper.getvalue().count("In #cards the bot lacks: View Channel.") == 2


# -- at a check --------------------------------------------------------------------------------------


async def test_a_check_shows_what_is_in_force(
    places: Places,
    forum: dict[str, Any],
) -> None:
    before = set_in_force(places, FORUM_ID)
    data, blocks = await set_up(places, *AS_EVER, "--check")
    assert (data["works"], data["written"], data["notes"]) == (True, [], [])
    assert data["cards_channel"] == {"id": FORUM_ID, "name": "cards"}
    forum["permission_overwrites"] = denial("Send Messages")
    talk, paper = talk_of("y", "n", "y")
    data, blocks = await set_up(places, *AS_EVER, "--check", talk=talk)
    assert data["works"] is False
    assert pairs_of(blocks)["permissions"] == "missing in #cards: Send Messages"
    assert "Where do cards" not in paper.getvalue(), "a check chooses nothing"
    assert places.settings_file.read_text() == before


async def test_a_channel_that_is_gone_is_said(places: Places) -> None:
    set_in_force(places, "42")
    data, blocks = await set_up(places, *AS_EVER, "--check")
    assert data["works"] is False
    assert data["cards_channel"] == {"id": "42", "name": None}
    assert pairs_of(blocks)["threads of cards"] == "42, gone"
    assert data["notes"] == [
        (
            "The office has no text channel or forum 42 for threads of cards:"
            " choose one with --cards-channel-id"
        )
    ]
