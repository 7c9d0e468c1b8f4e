"""The doctor works without a daemon, names what is wrong with its line, and says what to do."""

import json
import socket
from pathlib import Path

import pytest

from bot.cli.doctor import Finding, examine, findings_text
from bot.cli.main import main
from bot.config.places import Places

ROSTER = """version: 1
connector:
  kind: matrix
  matrix: {homeserver_url: "http://127.0.0.1:1", user_id: "@mos:x", room_id: "!r:x"}
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "home")
    made.prepare()
    return made


def states(findings: list[Finding]) -> dict[str, str]:
    worst = {"ok": 0, "warn": 1, "fail": 2}
    found: dict[str, str] = {}
    for finding in findings:
        if worst[finding.state] >= worst[found.get(finding.check, "ok")]:
            found[finding.check] = finding.state
    return found


def details(findings: list[Finding], check: str) -> str:
    return "\n".join(f"{f.detail} {f.advice}" for f in findings if f.check == check)


def test_a_fresh_machine_is_sound(tmp_path: Path) -> None:
    found = states(examine(Places(tmp_path / "none"), {}))
    assert found == dict.fromkeys(found, "ok")
    assert {"python", "tmux", "home", "settings", "roster", "secrets", "postgres"} <= set(found)
    assert not (tmp_path / "none").exists()


def test_a_wrong_setting_is_named_with_file_and_line(places: Places) -> None:
    places.settings_file.write_text("[supervisor]\ntick_secnds = 3\n")
    findings = examine(places, {})
    assert states(findings)["settings"] == "fail"
    assert f"{places.settings_file}:2: " in details(findings, "settings")


def test_a_wrong_roster_is_named_with_file_and_line_once(places: Places) -> None:
    places.roster_file.write_text("version: 1\nagents:\n  - {name: a}\n")
    findings = examine(places, {})
    assert [f.check for f in findings if f.state == "fail"] == ["roster"]
    assert f"{places.roster_file}:3: " in details(findings, "roster")


def test_a_contract_that_cannot_be_used_is_named_with_file_and_line(places: Places) -> None:
    directory = places.local_roles_directory
    directory.mkdir()
    (directory / "code.md").write_text("---\nmodel_tier: huge\n---\n")
    (directory / "review.md").write_text("# Ours\n")
    (directory / ".baseline").mkdir()
    (directory / ".baseline" / "review.md").write_text("# An older one of yours\n")
    findings = examine(places, {})
    assert states(findings)["personas"] == "warn"
    said = details(findings, "personas")
    assert f"{directory}/code.md:2: model_tier: 'huge' is not allowed" in said
    assert "the shipped one is used" in said
    assert "mosaic fleet personas diff review" in said
    assert "53 classes, 1 of them with a file of yours" in said


def test_a_missing_token_is_named_and_a_given_one_is_never_shown(places: Places) -> None:
    places.roster_file.write_text(ROSTER)
    findings = examine(places, {"DISCORD_BOT_TOKEN": "very-secret-value"})
    assert "needs MATRIX_ACCESS_TOKEN" in details(findings, "secrets")
    assert "DISCORD_BOT_TOKEN" in details(findings, "secrets")
    assert "very-secret-value" not in findings_text(findings)


def test_a_homeserver_that_is_away_fails_with_its_address(places: Places) -> None:
    places.roster_file.write_text(ROSTER)
    findings = examine(places, {"MATRIX_ACCESS_TOKEN": "very-secret-value"})
    assert states(findings)["homeserver"] == "fail"
    assert "http://127.0.0.1:1 does not answer" in details(findings, "homeserver")


def test_what_a_dead_daemon_left_is_a_warning(places: Places) -> None:
    places.lock_file.write_text("1\n")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(places.api_socket))
    assert states(examine(places, {}))["daemon"] == "warn"


def test_a_home_that_others_can_enter_is_a_warning(places: Places) -> None:
    places.home.chmod(0o755)
    findings = examine(places, {})
    assert states(findings)["home"] == "warn"
    assert f"chmod 700 {places.home}" in details(findings, "home")


def test_a_database_that_does_not_answer_fails_without_its_password(places: Places) -> None:
    findings = examine(places, {"DATABASE_URL": "postgresql://u:secretword@127.0.0.1:1/x"})
    assert states(findings)["postgres"] == "fail"
    assert "secretword" not in findings_text(findings)


def test_an_unknown_variable_is_a_warning(places: Places) -> None:
    findings = examine(places, {"MOSAIC_SUPERVISOR_TICK_SECNDS": "3"})
    assert states(findings)["settings"] == "warn"


def test_the_exit_status_tells_whether_anything_fails(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--home", str(places.home)]) == 0
    capsys.readouterr()
    places.settings_file.write_text("x")
    assert main(["doctor", "--json", "--home", str(places.home)]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [f["check"] for f in findings if f["state"] == "fail"] == ["settings"]


def test_a_profile_that_is_not_used_is_named_with_its_line(places: Places) -> None:
    assert details(examine(places, {}), "profiles").startswith("6 system types")
    places.local_profiles_directory.mkdir()
    path = places.local_profiles_directory / "business.yaml"
    path.write_text("title: Ours\nlead: cto\n")
    found = examine(places, {})
    assert states(found)["profiles"] == "warn"
    assert f"{path}:2: lead: no seat has class cto" in details(found, "profiles")
