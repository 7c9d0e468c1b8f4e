"""Trust in advance: one key in a file that belongs to a person."""

import json
import stat
from pathlib import Path

import pytest

from bot.errors import UserError
from fleet.launch.pretrust import pretrust

WORK = Path("/repo/app")


def test_everything_else_in_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / ".claude.json"
    before = {"theme": "dark", "projects": {"/other": {"x": [1]}, str(WORK): {"y": 2}}}
    path.write_text(json.dumps(before))
    assert pretrust(tmp_path, WORK)
    after = json.loads(path.read_text())
    assert after["projects"].pop(str(WORK)) == {"y": 2, "hasTrustDialogAccepted": True}
    del before["projects"][str(WORK)]  # type: ignore[attr-defined]
    assert after == before
    written = path.read_bytes()
    assert not pretrust(tmp_path, WORK)
    assert path.read_bytes() == written


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    assert pretrust(tmp_path, WORK)
    path = tmp_path / ".claude.json"
    assert json.loads(path.read_text()) == {
        "projects": {str(WORK): {"hasTrustDialogAccepted": True}}
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["{", "[]", '{"projects": 1}', '{\n  "a": }'])
def test_what_is_no_object_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".claude.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"\.claude\.json:\d+: "):
        pretrust(tmp_path, WORK)
    assert path.read_text() == text


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text("{}")
    (tmp_path / ".claude.json").symlink_to(elsewhere)
    with pytest.raises(UserError, match="is a link"):
        pretrust(tmp_path, WORK)
    assert elsewhere.read_text() == "{}"
