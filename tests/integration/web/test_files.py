"""The `mosaic` command reads and writes the files that its words name."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.web.test_command_line import Drills, Shell
from tests.stages.face import serve

PLAN = "version: 1\ncards:\n  - {id: B, title: größer, depends_on: [A]}\n  - {id: A, title: a}\n"


def names(directory: Path) -> list[str]:
    """Return what lies in a directory."""
    return [path.name for path in directory.iterdir()]


@pytest.fixture
async def mosaic(home: Path) -> AsyncIterator[Shell]:
    async with serve(home / "run" / "api.sock") as face:
        yield Shell(face, Drills())


async def test_a_file_is_imported_exported_and_imported_again(
    mosaic: Shell, tmp_path: Path
) -> None:
    plan, out = tmp_path / "plan.yaml", tmp_path / "out.yaml"
    plan.write_text(PLAN, encoding="utf-8")
    tried = await mosaic("backlog", "import", "--dry-run", str(plan))
    assert "2 created" in tried.out
    assert "Nothing was written" in tried.out
    done = await mosaic("backlog", "import", str(plan), "--json")
    assert done.data == {"created": ["B", "A"], "changed": [], "left": [], "dry_run": False}
    written = await mosaic("backlog", "export", str(out))
    assert written.out == f"Written to {out}.\n"
    printed = await mosaic("fleet", "backlog", "export")
    assert printed.out == out.read_text(encoding="utf-8")
    again = await mosaic("backlog", "import", "-", stdin=out.read_bytes())
    assert "2 left" in again.out
    as_json = await mosaic("backlog", "export", "--json")
    assert [card["id"] for card in as_json.data["cards"]] == ["B", "A"]
    form = await mosaic("backlog", "export", "--format", "json")
    assert json.loads(form.out) == as_json.data


async def test_faults_name_the_file_as_the_caller_did(mosaic: Shell, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("version: 1\ncards:\n  - {id: '?'}\n  - {id: B, titel: b}\n")
    ended = await mosaic("backlog", "import", str(plan))
    assert ended.status == 1
    told = ended.err.splitlines()
    assert told[0].startswith(f"mosaic: {plan}:3: id: '?' is not allowed")
    assert told[1].startswith(f"{plan}:4: titel: there is no such key; did you mean title?")
    assert told[-1] == "  nothing was imported"
    ended = await mosaic("backlog", "import", "-", stdin=b"version: 1\ncards: [\xff]")
    assert (ended.status, ended.err) == (
        2,
        "mosaic: -:2: not UTF-8: byte 19 fits nowhere\n",
    )
    ended = await mosaic("backlog", "import", str(tmp_path / "none.yaml"))
    assert (ended.status, "none.yaml:1: cannot be read" in ended.err) == (2, True)


async def test_a_file_that_cannot_be_written_stays_as_it_was(mosaic: Shell, tmp_path: Path) -> None:
    ended = await mosaic("backlog", "export", str(tmp_path / "nowhere" / "out.yaml"))
    assert ended.status == 1
    assert "cannot be written: No such file or directory" in ended.err
    target = tmp_path / "out.yaml"
    target.write_text("precious")
    target.chmod(0o640)
    ended = await mosaic("backlog", "export", str(target), "--format", "toml")
    assert ended.status == 2
    assert target.read_text() == "precious"
    assert names(tmp_path) == ["out.yaml"]
