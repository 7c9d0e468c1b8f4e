"""What is generated from the declarations is up to date, and complete."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.reference import CODES, ROOT, all_commands, documents, main, stale
from bot.command.catalog import Command
from web.routes import ROUTES, Routes

PACKAGES = ("bot", "commands", "connectors", "fleet", "storage", "web")


def test_the_command_table_and_the_reference_are_up_to_date() -> None:
    assert [str(path.relative_to(ROOT)) for path in stale()] == [], "run `make docs`"


def test_checking_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""


def test_every_command_stands_on_the_page_of_commands() -> None:
    page = documents()[ROOT / "docs" / "reference" / "commands.md"]
    assert [c.name for c in all_commands() if f"\n### {c.name}\n" not in page] == []


def test_every_command_says_what_it_does_and_what_its_arguments_are() -> None:
    silent = [
        f"{command.name} {parameter.written}"
        for command in all_commands()
        for parameter in command.grammar.parameters
        if not parameter.help
    ]
    assert silent == []
    assert [c.name for c in all_commands() if not _is_sentence(c)] == []


def _is_sentence(command: Command) -> bool:
    return command.summary[:1].isupper() and command.summary.endswith(".")


def test_every_route_has_a_handler_and_stands_on_the_page_of_http() -> None:
    page = documents()[ROOT / "docs" / "reference" / "http.md"]
    assert [r.path for r in ROUTES if not hasattr(Routes, r.handler)] == []
    assert [r.path for r in ROUTES if f"`{r.method} {r.path}`" not in page] == []


def test_every_code_that_an_error_bears_is_explained() -> None:
    used = {
        code
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        for code in _codes(path)
    }
    assert used - set(CODES) == set()


def _codes(path: Path) -> Iterator[str]:
    """Yield the codes that a file gives to errors: ``code="…"`` in a call, ``code = "…"`` in a class."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.keyword(arg="code", value=ast.Constant(value=str(code))) if code:
                yield code
            case ast.ClassDef(body=body):
                for line in body:
                    match line:
                        case ast.Assign(
                            targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))
                        ):
                            yield code
            case ast.Call(func=ast.Name(id="Problem"), args=[ast.Constant(value=str(code)), *_]):
                yield code
