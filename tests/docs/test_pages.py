"""What the pages say is there: commands, settings, variables, make targets, files, links."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from bot.cli.arguments import read_arguments
from bot.cli.table import own_command, read_table
from bot.command.catalog import Command, read_topic
from bot.command.words import split_line
from bot.config.credentials import NAMES
from bot.config.places import Places
from bot.config.settings import load_settings, settings_keys, variable
from bot.wiring.topics import TOPICS
from fleet.roster.file import load
from tests.docs.pages import GENERATED, ROOT, blocks, pages, prose, typed_lines

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MAKE_TARGETS = set(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)
COMMANDS = {
    tuple(name.split()): command
    for topic in TOPICS
    for command in read_topic(topic)
    for name in (command.name, *command.also)
}


def _find(words: list[str]) -> tuple[Command, int]:
    """Return the command with the longest name that the words begin with; KeyError when there is none."""
    named = [name for name in COMMANDS if tuple(words[: len(name)]) == name]
    name = max(named, key=len, default=tuple(words))
    return COMMANDS[name], len(name)


def test_every_link_leads_somewhere() -> None:
    broken = []
    for page in pages():
        for target in LINK.findall(prose(page)):
            path, _, anchor = target.partition("#")
            place = page.parent / path if path else page
            if "://" not in target and not (place.exists() and _has(place, anchor)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def _has(page: Path, anchor: str) -> bool:
    if not anchor:
        return True
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return anchor in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_every_chat_line_in_the_pages_is_accepted() -> None:
    spoken = [line[1:] for _, line in typed_lines("text") if line.startswith("!")]
    inline = [said for page in pages() for said in re.findall(r"`!([a-z][^`]*)`", prose(page))]
    spoken += [line for line in inline if not re.search(r"\b[A-Z]{3,}\b", line)]
    assert spoken
    for line in spoken:
        words = split_line(line)
        command, length = _find([word.text for word in words])
        command.grammar.bind_line(line, words[length:])


def test_every_command_line_in_the_pages_is_accepted() -> None:
    table = read_table()
    lines = [words for _, line in typed_lines("sh") if (words := _mosaic_words(line))]
    assert lines
    for words in lines:
        request = read_arguments(words, table)
        if own_command(*words[:2]) is None:
            command, length = _find(list(request.words))
            command.grammar.bind_words(request.words[length:])


def _mosaic_words(line: str) -> list[str]:
    """Return the words behind ``.venv/bin/mosaic``, with variables in front or not."""
    words = shlex.split(line)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    return words[1:] if words and words[0].endswith("bin/mosaic") else []


def test_every_command_in_running_text_exists() -> None:
    table = read_table()
    unknown = []
    for page in pages():
        for said in re.findall(r"`mosaic ([^`]+)`", prose(page)):
            words = said.split()
            if not (own_command(*words[:2]) or table.below(words[:1]) or table.find(words)):
                unknown.append((page.name, said))
    assert unknown == []


def test_every_make_target_in_the_pages_exists() -> None:
    named = {
        target for page in pages() for target in re.findall(r"\bmake ([a-z][a-z-]+)", _code(page))
    }
    assert named
    assert named - MAKE_TARGETS == set()


def _code(page: Path) -> str:
    written = [line for block in blocks(page) if block.language == "sh" for line in block.lines]
    return "\n".join([*written, *re.findall(r"`([^`\n]+)`", prose(page))])


def test_every_setting_in_the_pages_exists() -> None:
    keys = {path for path, _ in settings_keys()}
    named = [
        (block.page, (*path, key))
        for page in pages()
        for block in blocks(page)
        if block.language == "toml"
        for path, key in _keys(tomllib.loads("\n".join(block.lines)), ())
    ]
    assert named
    assert [setting for setting in named if setting[1] not in keys] == []
    inline = {
        tuple(match.split())
        for page in pages()
        for match in re.findall(r"`\[([a-z.]+)\] ([a-z_]+)`", prose(page))
        for match in [" ".join(match).replace(".", " ")]
    }
    assert inline - keys == set()


def _keys(table: dict[str, object], path: tuple[str, ...]) -> list[tuple[tuple[str, ...], str]]:
    found: list[tuple[tuple[str, ...], str]] = []
    for key, value in table.items():
        found += _keys(value, (*path, key)) if isinstance(value, dict) else [(path, key)]
    return found


def test_every_variable_in_the_pages_is_read_by_somebody() -> None:
    known = {variable(path) for path, _ in settings_keys()} | {"MOSAIC_HOME"}
    known |= {name for base in NAMES for name in (base, f"{base}_FILE")}
    prefixes = r"\b((?:MOSAIC|MATRIX|DISCORD|DATABASE)_[A-Z_]+)\b"
    for module in (
        "launch/launcher",
        "launch/papers",
        "dogfood/__main__",
    ):  # an agent's environment
        known |= set(re.findall(prefixes, (ROOT / "fleet" / f"{module}.py").read_text()))
    named = {name for page in pages() for name in re.findall(prefixes, page.read_text())}
    assert named
    assert named - known == set()


def test_decisions_are_numbered_once_and_in_a_row() -> None:
    files = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [int(file.name[:4]) for file in files]
    assert numbers == list(range(1, len(files) + 1))
    for number, file in zip(numbers, files, strict=True):
        text = file.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. ")
        for heading in ("## Context", "## Decision", "## Consequences"):
            assert heading in text, (file.name, heading)


def test_the_glossary_explains_every_word_once() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"\*\*([^*]+)\*\*", text)
    assert len(words) == len(set(words)) > 0


@pytest.mark.parametrize("page", ["commands.md", "settings.md", "errors.md", "http.md"])
def test_the_generated_reference_is_there(page: str) -> None:
    assert (GENERATED / page).is_file()


def test_the_example_settings_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "mosaic.toml").write_text((ROOT / "deploy" / "mosaic.toml").read_text())
    assert load_settings(Places(tmp_path), {}).access.operators == ("matrix:@ann:mosaic.local",)


def test_the_example_roster_is_accepted() -> None:
    roster = load(ROOT / "deploy" / "roster.yaml")
    assert [agent.name for agent in roster.agents] == ["orchestrator", "enhancer", "coder0"]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "deploy" / "rosters").iterdir()), ids=lambda path: path.name
)
def test_every_example_of_a_roster_is_accepted_and_has_a_lead_and_an_enhancer(path: Path) -> None:
    classes = [agent.agent_class for agent in load(path).agents]
    assert classes.count("orchestrator") == 1
    assert "enhancer" in classes


def test_there_are_six_examples_and_one_has_every_field() -> None:
    assert len(list((ROOT / "deploy" / "rosters").iterdir())) == 6
    shown = load(ROOT / "deploy" / "rosters" / "every-field.yaml")
    said = {name for agent in shown.agents for name in agent.model_fields_set}
    assert said == set(type(shown.agents[0]).model_fields)


def test_stopping_the_unit_leaves_the_agents_alone() -> None:
    unit = (ROOT / "deploy" / "mosaic.service").read_text(encoding="utf-8")
    lines = unit.splitlines()
    assert "KillMode=process" in lines
    assert "OOMPolicy=continue" in lines
    assert not [line for line in lines if line.startswith(("PrivateTmp", "RestrictNamespaces"))]
