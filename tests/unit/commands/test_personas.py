"""The library's commands over real files: names and JSON as the contract fixes them."""

import json
from pathlib import Path

import pytest

from bot.command.catalog import Catalog
from bot.command.declare import Call
from bot.command.words import split_line
from bot.config.places import Places
from bot.errors import UsageError, UserError
from bot.model import Address, Caller, Principal, Via
from bot.reply import Code, Fields, Markdown, Reply, Table, Text
from commands.personas import PersonaCommands
from fleet.personas.contracts import shipped_contract
from fleet.personas.library import LocalPersonas

ANN = Caller(Principal("matrix:@ann:example.org", "Ann"), Via.CHAT)


class Face:
    """A chat line's way to the commands, without anything in between."""

    def __init__(self, home: Path) -> None:
        self.directory = home / "fleet" / "roles.local"
        self.directory.mkdir(parents=True)
        self.catalog = Catalog([PersonaCommands(LocalPersonas(Places(home)))])

    async def ask(self, line: str) -> Reply:
        command, arguments = self.catalog.find_line(line, split_line(line))
        reply = await self.catalog.run(command, Call(ANN, Address("matrix", "!r"), "c1"), arguments)
        json.dumps(reply.data, allow_nan=False)
        return reply


@pytest.fixture
def face(tmp_path: Path) -> Face:
    return Face(tmp_path)


def said(reply: Reply) -> str:
    return "\n".join(block.text for block in reply.blocks if isinstance(block, Text | Code))


async def test_all_classes_are_listed_by_domain_and_what_is_refused_stands_below(
    face: Face,
) -> None:
    path = face.directory / "code.md"
    path.write_text("---\nmodel_tier: huge\n---\n")
    (face.directory / "alchemy.md").write_text("---\ndomain: research\n---\n# Gold\n")
    reply = await face.ask("fleet personas")
    rows = {row["name"]: row for row in reply.data}
    assert len(rows) == 54
    assert {key: rows["review"][key] for key in ("name", "domain", "class", "source")} == {
        "name": "review",
        "domain": "engineering",
        "class": "review",
        "source": "fleet/roles/review.md",
    }
    assert rows["alchemy"]["source"] == str(face.directory / "alchemy.md")
    assert (rows["alchemy"]["baseline"], rows["code"]["baseline"]) == ("own", "refused")
    assert rows["code"]["source"] == "fleet/roles/code.md"
    assert f"Not used: {path}:2: model_tier: 'huge' is not allowed" in said(reply)
    (table,) = (block for block in reply.blocks if isinstance(block, Table))
    assert len(table.rows) == 54
    assert table.rows[0] == ("assistant", "executive-assistant", "no", "medium", "")
    own = next(row for row in table.rows if row[1] == "alchemy")
    assert own[4] == f"own: {face.directory / 'alchemy.md'}"


async def test_one_class_is_shown_with_all_that_its_agents_are_told(face: Face) -> None:
    reply = await face.ask("fleet personas merge-gate")
    found = shipped_contract("merge-gate")
    assert found is not None
    assert reply.data["contract"] == found.words
    assert reply.data["tools"] == ["git", "mosaic"]
    fields, contract = reply.blocks
    assert isinstance(fields, Fields)
    assert ("takes_cards", "no") in fields.pairs
    assert isinstance(contract, Markdown)
    with pytest.raises(UserError, match="there is no class alchemy"):
        await face.ask("fleet personas alchemy")
    with pytest.raises(UsageError, match="NAME"):
        await face.ask("fleet personas ../code")


async def test_from_a_copy_to_its_comparison(face: Face) -> None:
    assert "There is no file of yours for code" in said(await face.ask("fleet personas diff code"))
    reply = await face.ask("fleet personas copy code")
    path = face.directory / "code.md"
    assert reply.data == {"class": "code", "path": str(path)}
    text = path.read_text()
    path.write_text(text.replace("# Code\n", "# Our code\n"))
    # As an older release left it.
    older = text.replace("model_tier: large", "model_tier: small").replace("# Code\n", "# Coder\n")
    (face.directory / ".baseline" / "code.md").write_text(older)
    reply = await face.ask("fleet personas diff code")
    shown = said(reply)
    assert "The shipped contract changed since yours was written. Yours is used as it is." in shown
    assert f"{path}:9: you and we changed the same lines:\n-# Our code\n+# Code" in shown
    assert set(reply.data) == {
        *("name", "class", "path", "baseline", "known", "brings", "since", "own", "collisions")
    }
    assert (reply.data["baseline"], reply.data["known"]) == ("changed", True)
    assert reply.data["collisions"] == [{"line": 9, "yours": "# Our code\n", "ours": "# Code\n"}]
    await face.ask("fleet personas ack code")
    assert "Nothing changed in the shipped contract" in said(
        await face.ask("fleet personas diff code")
    )


async def test_a_class_of_another_name_begins_as_a_copy(face: Face) -> None:
    reply = await face.ask("fleet personas copy researcher --as archivist")
    assert reply.data["path"].endswith("archivist.md")
    assert "archivist is a class of your own" in said(
        await face.ask("fleet personas diff archivist")
    )


async def test_where_a_person_has_it_all_already_that_is_said(face: Face) -> None:
    await face.ask("fleet personas copy editor")
    kept = face.directory / ".baseline" / "editor.md"
    kept.write_text(kept.read_text().replace("model_tier: medium", "model_tier: small"))
    shown = said(await face.ask("fleet personas diff editor"))
    assert "Your file has all of it already." in shown
    assert "fleet personas ack editor" in shown
