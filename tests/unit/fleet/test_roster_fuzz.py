"""Five hundred mutations of a roster with every field: each is good, or refused with lines that are there."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from bot.errors import UserError
from fleet.roster.file import parse

SEED, MUTATIONS, LEAST_REFUSED = 4, 500, 250
EVERY_FIELD = Path(__file__).parents[3] / "deploy" / "rosters" / "every-field.yaml"
VALUES = (
    *(
        "[]",
        "{}",
        "null",
        "-1",
        "1e400",
        "99999999999999999999",
        "''",
        "'a b'",
        "yes",
        "3.5",
        "!!int x",
    ),
    *(
        "*alias",
        "&anchor 1",
        "'\\0'",
        '"\\u0007"',
        "'\U0001f600'",
        "[1, [2]]",
        "{a: {b: 1}}",
        "x" * 300,
    ),
)
INSERTS = (
    "\t",
    "\0",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "'",
    '"',
    "#",
    "\n",
    "  ",
    "? ",
    "<<: *x",
    "%YAML 9",
)


def mutate(text: str, chosen: random.Random) -> tuple[str, str]:
    """Return a kind of mutation and the text with one of it."""
    lines = text.splitlines()
    at = chosen.randrange(len(lines))
    kind = chosen.choice(["value", "key", "drop", "repeat", "indent", "insert", "cut", "swap"])
    match kind:
        case "value":
            lines[at] = re.sub(r":\s+\S.*$", lambda _: f": {chosen.choice(VALUES)}", lines[at])
        case "key":
            lines[at] = re.sub(r"(\w+):", lambda found: f"{found[1]}x:", lines[at], count=1)
        case "drop":
            del lines[at]
        case "repeat":
            lines.insert(at, lines[at])
        case "indent":
            lines[at] = chosen.choice([" ", "   ", "\t"]) + lines[at]
        case "insert":
            place = chosen.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:place] + chosen.choice(INSERTS) + lines[at][place:]
        case "cut":
            lines[at] = lines[at][: chosen.randrange(len(lines[at]) + 1)]
        case _:
            other = chosen.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
    return kind, "\n".join(lines) + "\n"


def refusals(text: str) -> list[str]:
    """Return what is said against a roster, line by line; nothing when it is good."""
    try:
        parse(text, "roster.yaml")
    except UserError as error:
        return error.message.splitlines()
    return []


def test_every_mutation_is_good_or_refused_with_lines_of_the_file() -> None:
    text = EVERY_FIELD.read_text(encoding="utf-8")
    chosen, refused = random.Random(SEED), Counter[str]()
    for _ in range(MUTATIONS):
        kind, mutated = mutate(text, chosen)
        for said in refusals(mutated):
            found = re.match(r"roster\.yaml:(\d+): \S", said)
            assert found is not None, (kind, said)
            assert 1 <= int(found[1]) <= mutated.count("\n") + 1, (kind, said)
        refused[kind] += bool(refusals(mutated))
    assert refused.total() >= LEAST_REFUSED, refused
    assert len(refused) >= 6, refused


@pytest.mark.parametrize("key", ["name", "class", "runtime", "context_tokens", "yolo", "env_from"])
def test_the_line_of_the_wrong_value_is_the_one_that_is_named(key: str) -> None:
    lines = EVERY_FIELD.read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if re.search(rf"\b{key}: ", line))
    lines[at] = re.sub(rf"\b{key}: .*", f"{key}: {{a: 1}}", lines[at])
    with pytest.raises(UserError, match=rf"^roster\.yaml:{at + 1}: agents\[\d\]\.{key}"):
        parse("\n".join(lines), "roster.yaml")


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_its_lines() -> None:
    text = "version: 2\nagents:\n  - {name: a.b, class: x, runtime: pi}\n  - {name: b, runtime: y}\nmore: 1\n"
    with pytest.raises(UserError) as caught:
        parse(text, "r")
    lines = [line.split(":")[1] for line in caught.value.message.splitlines()]
    assert lines == ["1", "3", "4", "4", "5"]
