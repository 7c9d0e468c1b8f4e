"""Replies as embeds: cards, the fleet, numbers, boards; what does not fit is left to plain text."""

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reply import Board, Code, Column, Fields, Markdown, Slip, Table, Text
from connectors.discord.embeds import Shown, embeds_of

CARD = Fields(
    (("id", "A1"), ("title", "paint *it*"), ("status", "claimed by box/coder0"), ("priority", "3"))
)


def shown(*blocks: object) -> Shown:
    found = embeds_of(blocks)  # type: ignore[arg-type]
    assert found is not None
    return found


def fields(embed: discord.Embed) -> list[tuple[str | None, str | None, bool]]:
    return [(one.name, one.value, one.inline) for one in embed.fields]


def test_a_card_is_one_embed_with_its_title_its_colour_and_its_story() -> None:
    history = Table(("when", "who", "what"), (("today", "ann", "create"),))
    found = shown(CARD, Text("the whole story"), Text("☐ 1. sand it"), history)
    card, past = found.embeds
    assert found.content == "A1"
    assert card.title == "paint \\*it\\*"
    assert card.colour == discord.Colour.blue()
    assert card.description == "the whole story\n\n☐ 1. sand it"
    assert fields(card) == [("status", "claimed by box/coder0", True), ("priority", "3", True)]
    assert past.description is not None
    assert past.description.startswith("```\nwhen   who  what")


def test_the_opening_of_a_card_s_thread_keeps_its_words_for_notifications() -> None:
    found = shown(Text("A1: paint"), Fields((("status", "ready, waits for 2"),)), Text("story"))
    assert found.content == "A1: paint"
    (embed,) = found.embeds
    assert (embed.description, embed.colour) == ("story", discord.Colour.light_grey())


def test_the_fleet_is_a_field_an_agent_without_what_says_nothing() -> None:
    columns = ("agent", "class", "readiness", "card", "evidence")
    rows = (
        ("coder0", "code", "working", "A1", "its turn began 3 s ago, says its own record"),
        ("lead", "orchestrator", "available", "", "its prompt is empty, says its own hook"),
    )
    found = shown(Table(columns, rows))
    assert found.content == "coder0, lead"
    (embed,) = found.embeds
    assert [name for name, _, _ in fields(embed)] == ["coder0", "lead"]
    assert fields(embed)[1][1] == (
        "class: orchestrator · readiness: available · evidence: its prompt is empty, says its own hook"
    )


def test_more_rows_than_an_embed_has_fields_are_a_list() -> None:
    rows = tuple((f"agent{n}", "x" * 40) for n in range(30))
    (embed,) = shown(Table(("agent", "what it does"), rows)).embeds
    assert embed.description is not None
    assert embed.description.splitlines()[29] == f"**agent29** what it does: {'x' * 40}"


def test_numbers_stand_beside_each_other() -> None:
    found = shown(Fields((("ready", "2"), ("done", "40"))))
    assert found.content == "ready: 2 · done: 40"
    (embed,) = found.embeds
    assert fields(embed) == [("ready", "2", True), ("done", "40", True)]


def test_a_board_is_a_field_a_lane() -> None:
    ready = Column("ready", 5, (Slip("A1", "paint", "ready"), Slip("A2", "dig", "blocked", "rain")))
    found = shown(Board((ready, Column("done", 0, ()))))
    assert found.content == "ready 5 · done 0"
    (embed,) = found.embeds
    assert fields(embed)[0] == (
        "ready · 5",
        "○ **A1** paint\n⊘ **A2** dig\n*rain*\n… 3 more",
        True,
    )
    assert fields(embed)[1][0] == "done · 0"


@pytest.mark.parametrize(
    "blocks",
    [
        (Text("only words"),),
        (Text("only words"), Fields(())),
        (Text("x" * 2001), CARD),
        (Fields((("name", "v" * 1025),)),),
        (Fields((("n" * 257, "v"),)),),
        (Fields(tuple((str(n), "v") for n in range(26))),),
        (CARD, Text("t" * 4097)),
        tuple(Fields((("a", "b"),)) for _ in range(11)),
        (CARD, Text("t" * 3000), Fields((("a", "b"),)), Text("t" * 3000)),
    ],
)
def test_what_does_not_fit_is_left_to_plain_text(blocks: tuple[object, ...]) -> None:
    assert embeds_of(blocks) is None  # type: ignore[arg-type]


def test_what_people_wrote_is_shown_as_they_wrote_it() -> None:
    (embed,) = shown(Fields((("*name*", "<@1> # _x_"),)), Text("# heading\n<t:1:R>")).embeds
    assert fields(embed) == [("\\*name\\*", "\\<@1> # \\_x\\_", True)]
    assert embed.description == "\\# heading\n\\<t:1:R>"


def test_nothing_in_code_ends_its_fence() -> None:
    (embed,) = shown(Fields((("a", "b"),)), Code("x\n```\n@everyone", "py")).embeds
    assert embed.description is not None
    assert embed.description.count("```") == 2
    assert embed.description.startswith("```py\nx\n")


def test_a_long_gist_is_cut() -> None:
    rows = tuple((f"agent{n}", "x") for n in range(20))
    content = shown(Table(("agent", "state"), rows)).content
    assert len(content) == 100
    assert content.startswith("agent0, agent1")
    assert content.endswith("…")


def test_an_agent_s_markdown_stays_markdown() -> None:
    assert shown(Markdown("**bold**"), CARD).content == "**bold**"


words = st.text(max_size=300)


@given(
    st.lists(
        st.one_of(
            st.builds(Text, words),
            st.builds(Fields, st.lists(st.tuples(words, words), max_size=30).map(tuple)),
            st.builds(
                lambda rows: Table(("a", "b", "c"), tuple(rows)),
                st.lists(st.tuples(words, words, words), max_size=40),
            ),
        ),
        max_size=6,
    )
)
def test_whatever_is_shown_keeps_discord_s_limits(blocks: list[Text | Fields | Table]) -> None:
    found = embeds_of(blocks)
    if found is None:
        return
    assert len(found.embeds) <= 10
    assert sum(map(len, found.embeds)) <= 6000
    for embed in found.embeds:
        assert embed, "none is empty"
        assert len(embed.title or "") <= 256
        assert len(embed.description or "") <= 4096
        assert len(embed.fields) <= 25
        for one in embed.fields:
            assert (one.name or "").strip()
            assert (one.value or "").strip()
            assert 1 <= len(one.name or "") <= 256
            assert 1 <= len(one.value or "") <= 1024
