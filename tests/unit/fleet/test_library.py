"""The library that ships: what is in it, and that it can be relied on as one whole."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations

import pytest

from bot.cli.table import read_table
from bot.render.readability import grade, words
from fleet.personas.contracts import Contract, shipped_contract
from fleet.personas.persona import shipped_classes
from tests.unit.fleet.shelves import SHELVES

CLASSES = sorted(name for shelf in SHELVES.values() for name in shelf)
HAND_OFF = re.compile(r"→\s+([a-z]+(?:-[a-z]+)*)")
SECTIONS = ["## Mandate", "## Boundaries", "## Persona"]
GOES_ON = re.compile(r"\n(?![*#\n])\s*")
SENTENCE = re.compile(r"(?<=[.!?:])\s+")
COMMON = frozenset(
    (
        *("a", "an", "the", "and", "or", "of", "to", "in", "on", "for", "by", "at", "is", "it"),
        *("its", "that", "this", "what", "who", "with", "as", "not", "no", "you", "your"),
    )
)
# All words that begin with a capital inside of a sentence: none of them is somebody's name.
KNOWN = frozenset(("WCAG", "AA", "SQL", "URL", "SVG", "PDF", "PNG", "I"))


def contract(name: str) -> Contract:
    found = shipped_contract(name)
    assert found is not None
    return found


def section(name: str, heading: str) -> str:
    """Return one section, each bullet in one line."""
    _, _, rest = contract(name).words.partition(f"{heading}\n")
    return GOES_ON.sub(" ", rest.partition("\n## ")[0]).strip()


def bullets(name: str, heading: str) -> list[str]:
    return [line.removeprefix("* ") for line in section(name, heading).split("\n")]


def hand_offs(name: str) -> set[str]:
    return set(HAND_OFF.findall(GOES_ON.sub(" ", contract(name).words)))


def sentences(text: str) -> Iterator[str]:
    for line in GOES_ON.sub(" ", text).split("\n"):
        if line and not line.startswith("#"):
            yield from (one.strip() for one in SENTENCE.split(line.removeprefix("* ")))


def test_the_shelves_hold_fifty_three_classes_in_ten_domains() -> None:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name in shipped_classes():
        found[str(contract(name).matter.domain)].add(name)
    assert found == {domain: set(shelf) for domain, shelf in SHELVES.items()}
    assert {domain: len(shelf) for domain, shelf in found.items()} == {
        "engineering": 14,
        "executive": 5,
        "product": 3,
        "marketing": 7,
        "sales": 3,
        "operations": 7,
        "research": 5,
        "assistant": 4,
        "customer": 2,
        "creative": 3,
    }
    assert len(CLASSES) == 53


@pytest.mark.parametrize("name", CLASSES)
def test_a_contract_has_its_sections_its_inputs_and_outputs_and_says_when_to_escalate(
    name: str,
) -> None:
    headings = [line for line in contract(name).words.splitlines() if line.startswith("#")]
    assert headings[0].startswith("# ")
    assert headings[1:] == SECTIONS
    mandate, boundaries = bullets(name, "## Mandate"), bullets(name, "## Boundaries")
    assert len(mandate) >= 6
    assert [one.partition(":")[0] for one in mandate[-2:]] == ["Inputs", "Outputs"]
    assert boundaries[-1].startswith("Escalate ")
    assert re.search(r"\b(when|whenever|before|on)\b", boundaries[-1]), boundaries[-1]
    assert len(list(sentences(section(name, "## Persona")))) >= 2


@pytest.mark.parametrize("name", CLASSES)
def test_every_hand_off_names_another_class_of_the_library(name: str) -> None:
    found = hand_offs(name)
    assert found <= set(CLASSES) - {name}
    assert len(found) >= 3
    assert contract(name).words.count("→") == len(
        HAND_OFF.findall(GOES_ON.sub(" ", contract(name).words))
    )
    assert HAND_OFF.findall(section(name, "## Boundaries"))


def test_everybody_is_somebody_to_hand_things_to() -> None:
    reached = Counter(other for name in CLASSES for other in hand_offs(name))
    assert [name for name in CLASSES if name not in reached] == []


def test_no_two_personas_say_the_same_sentence() -> None:
    said: defaultdict[str, set[str]] = defaultdict(set)
    for name in CLASSES:
        for one in sentences(contract(name).words):
            said[" ".join(words(one.casefold()))].add(name)
    assert {one: who for one, who in said.items() if len(who) > 1 and len(one.split()) > 1} == {}


def test_no_two_personas_claim_nearly_the_same() -> None:
    claims = [
        (name, one, {word for word in words(one.casefold()) if word not in COMMON})
        for name in CLASSES
        for one in bullets(name, "## Mandate")
        if not one.startswith(("Inputs", "Outputs"))
    ]
    alike = [
        (first, second)
        for (one, first, left), (other, second, right) in combinations(claims, 2)
        if one != other and len(left & right) > 0.3 * len(left | right)
    ]
    assert alike == []


@pytest.mark.parametrize("name", CLASSES)
def test_a_contract_is_short_enough_to_be_kept_and_plain_enough_to_be_read(name: str) -> None:
    told = contract(name).words
    assert 150 <= len(words(told)) <= 450
    assert grade(told) < 9
    assert max(len(words(one)) for one in sentences(told)) <= 55
    assert max(map(len, told.splitlines())) <= 110


@pytest.mark.parametrize("name", CLASSES)
def test_a_contract_names_no_person_company_host_or_path(name: str) -> None:
    told = re.sub(r"`[^`]+`", "", contract(name).words)
    assert not re.search(
        r"@|https?:|www\.|~/|(?<!\w)/\w|\d+\.\d+\.\d+|\.(?:com|org|net|io)\b", told
    )
    for one in sentences(told):
        within = re.findall(r"(?<=[\w,;)] )[A-Z][\w']*", one)
        assert [word for word in within if word not in KNOWN] == [], one


def test_every_command_that_a_contract_names_exists() -> None:
    table = read_table()
    named = {
        (name, said)
        for name in CLASSES
        for said in re.findall(r"`mosaic ([^`]+)`", contract(name).words)
    }
    assert len(named) > 8
    assert [one for one in named if table.find(one[1].split()) is None] == []


def test_the_rules_of_the_backlog_and_the_merge_stand_where_they_bind() -> None:
    assert "one card, one branch, one pull request" in " ".join(contract("code").words.split())
    assert "You are the only one who merges." in contract("merge-gate").words
    for name in (
        *("orchestrator", "code", "review", "security-review", "documentation", "rebase"),
        *("operator", "enhancer"),
    ):
        assert "merge-gate" in hand_offs(name), name
    assert "You delegate and never implement" in " ".join(contract("orchestrator").words.split())
    assert {"code", "planner", "decomposition", "merge-gate"} <= hand_offs("orchestrator")
    for name in ("orchestrator", "enhancer"):
        assert contract(name).matter.takes_cards is False


def test_whoever_works_on_the_repository_has_git() -> None:
    with_git = {name for name in CLASSES if "git" in (contract(name).matter.tools or ())}
    assert with_git == {
        *("code", "review", "security-review", "site-tester", "documentation"),
        *("merge-gate", "rebase"),
    }
    assert all("mosaic" in (contract(name).matter.tools or ()) for name in CLASSES)
