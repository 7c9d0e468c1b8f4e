"""Rules about the repository itself, where a person would forget."""

import ast
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 400
GENERATED = ("docs/reference/", "storage/schema.sql")
PACKAGES = ("bot", "commands", "connectors", "fleet", "federation", "storage", "web")

# Spelled in pieces, so that this file is not its own first finding.
FORBIDDEN = re.compile(
    "|".join(
        (
            r"(?<![\w.])/work" + r"/",
            r"/root" + r"/",
            r"/home/(?!ann\b|bob\b|mosaic\b)" + r"[a-z]",
            r"pypi\." + r"org",
            r"pythonhosted" + r"\.org",
            r"registry\.npmjs" + r"\.org",
            r"proxy\.golang" + r"\.org",
            r"/opt/" + r"(wheels|pypi)",
        )
    )
)


def _tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return sorted(name for name in listed.split("\0") if name and (ROOT / name).is_file())


TRACKED = _tracked()
SOURCES = [name for name in TRACKED if name.endswith(".py")]


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_a_file_fits_in_one_sitting() -> None:
    written = [
        n for n in TRACKED if n.endswith((".py", ".sql", ".md")) and not n.startswith(GENERATED)
    ]
    sizes = {name: len(_text(name).splitlines()) for name in written}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_a_module_says_what_it_is_in_a_sentence() -> None:
    assert [name for name in SOURCES if not _says_what_it_is(name)] == []


def _says_what_it_is(name: str) -> bool:
    source = _text(name)
    if not source and name.startswith("tests/") and name.endswith("__init__.py"):
        return True
    docstring = ast.get_docstring(ast.parse(source)) or " "
    return docstring.splitlines()[0].endswith((".", ":"))


def test_no_file_names_a_machine_or_a_registry() -> None:
    read = [name for name in TRACKED if not name.endswith((".png", ".gif", ".lock"))]
    found = {name: FORBIDDEN.findall(_text(name)) for name in read}
    assert {name: words for name, words in found.items() if words} == {}


def test_no_top_level_folder_hides_a_standard_module() -> None:
    folders = {Path(name).parts[0] for name in TRACKED if len(Path(name).parts) > 1}
    assert folders & sys.stdlib_module_names == set()


def test_no_module_name_says_nothing() -> None:
    vague = {"utils", "util", "common", "helpers", "helper", "misc", "base", "manager", "service"}
    assert [name for name in SOURCES if Path(name).stem in vague] == []


def test_no_class_name_says_nothing() -> None:
    vague = re.compile(r"(Manager|Handler|Helper|Service|Base|Impl)$")
    found = [
        f"{name}: {node.name}"
        for name in SOURCES
        if name.startswith(PACKAGES)
        for node in ast.walk(ast.parse(_text(name)))
        if isinstance(node, ast.ClassDef) and vague.search(node.name)
    ]
    assert found == []


def test_no_test_is_skipped() -> None:
    silent = re.compile(
        r"pytest\." + r"(skip|importorskip|xfail)\b|mark\." + r"(skip|skipif|xfail)\b"
    )
    found = [name for name in SOURCES if name.startswith("tests/") and silent.search(_text(name))]
    assert found == []


def test_no_test_waits_by_the_clock() -> None:
    sleep = re.compile(r"\b(time|asyncio|anyio)\." + r"sleep\((?!0\))")
    # A campaign chooses by the clock when it kills, and waits for nothing so.
    tests = [n for n in SOURCES if "/test_" in n and not n.startswith("tests/slow/")]
    assert [name for name in tests if sleep.search(_text(name))] == []


def test_every_package_is_shipped() -> None:
    shipped = set(
        tomllib.loads(_text("pyproject.toml"))["tool"]["setuptools"]["packages"],
    )
    present = {
        str(Path(name).parent).replace("/", ".")
        for name in SOURCES
        if name.startswith(tuple(f"{package}/" for package in PACKAGES))
    }
    assert present - shipped == set()


def test_the_locks_pin_every_package_with_hashes() -> None:
    for name in ("requirements.lock", "requirements-homeserver.lock", "requirements-dev.lock"):
        pinned = re.findall(r"^(\S+?)==\S+.*\\\n    --hash=sha256:", _text(name), re.MULTILINE)
        named = re.findall(r"^[a-z0-9]\S*", _text(name), re.MULTILINE)
        assert len(pinned) == len(named) > 0


def test_the_locks_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    wanted = {
        "requirements.lock": project["dependencies"],
        "requirements-homeserver.lock": project["dependencies"] + extras["homeserver"],
        "requirements-dev.lock": project["dependencies"] + extras["homeserver"] + extras["dev"],
    }
    for name, lines in wanted.items():
        pinned = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;]+)", _text(name), re.MULTILINE))
        for requirement in map(Requirement, lines):
            version = pinned.get(canonicalize_name(requirement.name), "nothing")
            assert requirement.specifier.contains(version), f"{name} has {version}: {requirement}"


def test_a_larger_lock_changes_nothing_of_a_smaller_one() -> None:
    locks = ["requirements-build", "requirements", "requirements-homeserver", "requirements-dev"]
    pins = [set(re.findall(r"^\S+==[^ ;]+", _text(f"{n}.lock"), re.MULTILINE)) for n in locks]
    versions = [dict(pin.split("==") for pin in found) for found in pins]
    for smaller, larger in pairwise(versions):
        assert {n: v for n, v in smaller.items() if larger.get(n, v) != v} == {}
