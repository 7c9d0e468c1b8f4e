"""Personas: the files that ship, a person's own, and what is wrong with one."""

import os
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

from bot.config.places import Places
from fleet.launch.prompt import compose, prompt_pieces
from fleet.personas.persona import known_classes, persona, refusals
from fleet.roster.file import parse

SHIPPED = sorted(
    path.name.removesuffix(".md")
    for path in files("fleet.roles").iterdir()
    if path.name.endswith(".md")
)
KEYS = ("class", "domain", "persistent_persona", "takes_cards", "model_tier", "tools")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    places.local_roles_directory.mkdir(parents=True)
    return places


def write(places: Places, name: str, text: str) -> Path:
    path = places.local_roles_directory / f"{name}.md"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_says_everything_and_has_the_three_sections(
    places: Places, name: str
) -> None:
    text = (files("fleet.roles") / f"{name}.md").read_text(encoding="utf-8")
    matter = yaml.safe_load(text.split("---\n")[1])
    assert tuple(matter) == KEYS
    found = persona(name, places)
    assert (found.agent_class, found.source) == (name, f"fleet/roles/{name}.md")
    assert (found.takes_cards, found.model_tier) == (matter["takes_cards"], matter["model_tier"])
    assert found.tools == tuple(matter["tools"])
    headings = [line for line in found.contract.splitlines() if line.startswith("#")]
    assert headings[0].startswith("# ")
    assert headings[1:] == ["## Mandate", "## Boundaries", "## Persona"]
    assert found.refused is None


def test_who_is_handed_cards_that_name_no_class(places: Places) -> None:
    assert {name for name in SHIPPED if persona(name, places).takes_cards} == {
        *("business-analyst", "chief-of-staff", "code", "copywriter", "general"),
        *("personal-assistant", "researcher"),
    }


def test_an_unknown_class_is_general(places: Places) -> None:
    assert persona("alchemy", places) == persona("general", places)
    write(places, "general", "# All of us\n")
    assert persona("alchemy", places).contract == "# All of us\n"


def test_a_persons_file_wins_and_what_it_does_not_say_is_the_shipped_ones(places: Places) -> None:
    path = write(places, "orchestrator", "---\ntakes_cards: true\n---\n\n# Ours\n")
    found = persona("orchestrator", places)
    assert (found.contract, found.source) == ("# Ours\n", str(path))
    assert (found.takes_cards, found.persistent_persona) == (True, True)
    write(places, "orchestrator", "# Ours, without front matter\n")
    assert persona("orchestrator", places).takes_cards is False
    write(places, "orchestrator", "---\n---\n# Ours, with an empty one\n")
    assert persona("orchestrator", places).contract == "# Ours, with an empty one\n"


def test_a_persons_own_class_takes_what_it_does_not_say_from_general(places: Places) -> None:
    write(places, "alchemy", "---\nclass: alchemy\ndomain: research\n---\n# Gold\n")
    found = persona("alchemy", places)
    general = persona("general", places)
    assert (found.agent_class, found.domain, found.contract) == ("alchemy", "research", "# Gold\n")
    assert (found.takes_cards, found.tools) == (general.takes_cards, general.tools)


def test_front_matter_alone_changes_what_programs_ask_and_leaves_the_words_ours(
    places: Places,
) -> None:
    path = write(places, "code", "---\nmodel_tier: small\n---\n")
    found = persona("code", places)
    assert (found.model_tier, found.takes_cards) == ("small", True)
    assert found.contract.startswith("# Code\n")
    assert found.source == f"{path} + fleet/roles/code.md"


def test_a_new_file_adds_a_class_and_a_broken_one_adds_none(places: Places) -> None:
    write(places, "alchemy", "# Gold\n")
    write(places, "astrology", "---\nclass: [\n---\n")
    write(places, "no name", "# Ours\n")
    known = known_classes(places)
    assert known == {*SHIPPED, "alchemy"}


def test_every_file_that_cannot_be_used_is_named_with_its_line(places: Places) -> None:
    directory = places.local_roles_directory
    assert list(refusals(places)) == []
    write(places, "code", "---\nmodel_tier: huge\ntakes_card: true\n---\n")
    write(places, "empty", " \n")
    (directory / "binary.md").write_bytes(b"# One\n\xff\n")
    write(places, "escape", "# One\n\n\x1b[31mred\n")
    write(places, "long", "x" * 70_000)
    (directory / "folder.md").mkdir()
    (directory / "link.md").symlink_to(directory / "nowhere")
    os.mkfifo(directory / "pipe.md")
    write(places, "no name", "# Ours\n")
    said = [line.removeprefix(f"{directory}/") for line in refusals(places)]
    assert said == [
        "binary.md:2: not UTF-8",
        "code.md:2: model_tier: 'huge' is not allowed; allowed: 'small', 'medium' or 'large'",
        f"code.md:3: takes_card: there is no such key; allowed: {', '.join(KEYS)}",
        "empty.md:1: the file is empty",
        "escape.md:3: a control character ('\\x1b')",
        "folder.md:1: is no file",
        "link.md:1: leads to no file",
        "long.md:1: longer than 65536 bytes",
        "no name.md:1: 'no name' is no name of a class: [A-Za-z0-9][A-Za-z0-9._-]{0,63}",
        "pipe.md:1: is no file",
    ]


def test_a_file_from_another_system_reads_the_same(places: Places) -> None:
    path = places.local_roles_directory / "code.md"
    path.write_bytes("\ufeff---\r\ntakes_cards: false\r\n---\r\n# Ours é\r\n".encode())
    found = persona("code", places)
    assert (found.takes_cards, found.contract, found.refused) == (False, "# Ours é\n", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\ntakes_cards: maybe\n---\n", ":2: takes_cards: 'maybe'"),
        ("---\nclass: code\ntakes_card: true\n---\n", ":3: takes_card: there is no such key"),
        ("---\nmodel_tier: huge\n---\n", ":2: model_tier: 'huge' is not allowed; allowed: 'small'"),
        ("---\n\nclass: review\n---\n", ":3: class: must be code, as the file is named"),
        ("---\ntools: git\n---\n", ":2: tools: 'git': not a list"),
        ("---\ntools: [a, 'b c']\n---\n", ":2: tools[1]: 'b c' must match"),
        ("---\n- code\n---\n", ":1: front matter is a mapping that begins with class: code"),
        ("---\nclass: [\n---\n", ": not YAML"),
        ("---\nclass: code\n", ":1: the front matter has no end"),
        ("---\na: &a b\nc: *a\n---\n", ":3: *a: write it out"),
    ],
)
def test_a_broken_one_is_refused_by_name_and_the_shipped_one_used(
    places: Places, text: str, said: str
) -> None:
    path = write(places, "code", text)
    found = persona("code", places)
    assert found.source == "fleet/roles/code.md"
    assert found.takes_cards is True
    assert f"{path}" in str(found.refused)
    assert said in str(found.refused)


def test_a_broken_one_of_a_class_that_nobody_describes_is_named_too(places: Places) -> None:
    path = write(places, "alchemy", "---\nclass: gold\n---\n")
    found = persona("alchemy", places)
    assert found.source == "fleet/roles/general.md"
    assert found.refused == f"{path}:2: class: must be alchemy, as the file is named"


def test_front_matter_never_reaches_an_agent(places: Places) -> None:
    text = "version: 1\nagents: [{name: a, class: code, runtime: dogfood}]"
    roster = parse(text, "roster.yaml")
    path = write(places, "code", "---\ntakes_cards: false\n---\n# Ours\n")
    (role, *_) = pieces = prompt_pieces(roster, roster.agents[0], "east", places)
    assert role.source == str(path)
    assert compose(pieces).startswith("# Ours\n\n## Who you are")
    write(places, "code", "---\nnot: so\n---\n# Ours\n")
    (role, *_) = pieces = prompt_pieces(roster, roster.agents[0], "east", places)
    assert role.source.startswith(f"fleet/roles/code.md ({path}:2: not: there is no such key")
    assert compose(pieces).startswith("# Code\n")
    assert "model_tier" not in compose(pieces)
