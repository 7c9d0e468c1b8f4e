"""What an agent is told: who it is, who its peers are, the lines that reach them."""

import json
from pathlib import Path

import pytest

from bot.config.places import Places
from bot.errors import UserError
from fleet.launch.comms import comms_block
from fleet.launch.prompt import compose, prompt_pieces
from fleet.personas.persona import known_classes
from fleet.roster.document import Agent, Roster
from fleet.roster.file import parse
from fleet.runtimes import RUNTIMES, Order

ROSTER = """
version: 1
agents:
  - {name: lead, class: orchestrator, runtime: dogfood, alias: Lea}
  - {name: coder0, class: code, runtime: claude, model_hint: opus, yolo: true, args: [--verbose]}
  - {name: far, class: code, runtime: codex, host: west}
  - {name: odd, class: alchemy, runtime: dogfood}
"""


@pytest.fixture
def roster() -> Roster:
    return parse(ROSTER, "roster.yaml")


def agent(roster: Roster, name: str) -> Agent:
    return next(one for one in roster.agents if one.name == name)


def test_the_block_names_the_agent_its_peers_and_the_exact_lines(roster: Roster) -> None:
    block = comms_block(roster, agent(roster, "coder0"), "east")
    assert "You are `coder0` (class code) on host `east`." in block
    assert 'also called Lea): `mosaic agent send lead "..." --verify`' in block
    assert 'mosaic agent send far "..." --host west --verify' in block
    assert "mosaic agent send coder0" not in block
    assert "flip it" in block
    assert "write to a peer of that class, or to the\n  orchestrator when you have none." in block
    assert "Exit 0 means" in block


def test_seen_from_another_host_the_flags_are_the_other_way_round(roster: Roster) -> None:
    block = comms_block(roster, agent(roster, "far"), "east")
    assert "on host `west`" in block
    assert 'mosaic agent send coder0 "..." --host east --verify' in block


def test_an_agent_alone_is_told_so() -> None:
    alone = parse("version: 1\nagents: [{name: a, class: code, runtime: dogfood}]", "r")
    assert "You have no peers" in comms_block(alone, alone.agents[0], "east")


def test_a_role_of_a_persons_own_wins_and_its_words_to_one_agent_are_added(
    roster: Roster, tmp_path: Path
) -> None:
    places = Places(tmp_path)
    places.prepare()
    pieces = prompt_pieces(roster, agent(roster, "coder0"), "east", places)
    assert [piece.source for piece in pieces] == ["fleet/roles/code.md", "roster"]
    places.local_roles_directory.mkdir(parents=True)
    (places.local_roles_directory / "code.md").write_text("# Ours\n")
    places.local_prompt_file("coder0").write_text("Speak Dutch.\n")
    text = compose(prompt_pieces(roster, agent(roster, "coder0"), "east", places))
    assert text.startswith("# Ours\n\n## Who you are")
    assert text.endswith("\n\nSpeak Dutch.\n")


TEAM = """
version: 1
profile: research
lead: lead
agents:
  - {name: lead, class: lead-researcher, runtime: dogfood}
  - {name: ada, class: researcher, runtime: dogfood, reports_to: lead}
  - {name: bob, class: researcher, runtime: dogfood, reports_to: lead}
  - {name: cy, class: copywriter, runtime: dogfood, reports_to: ada, profile: marketing}
  - {name: guest, class: code, runtime: dogfood}
"""


def told(name: str, about: str, places: Places) -> str:
    """Return one piece of a prompt, nothing when there is none."""
    team = parse(TEAM, "roster.yaml")
    pieces = prompt_pieces(team, agent(team, name), "east", places)
    return "\n".join(piece.text for piece in pieces if piece.about == about)


def test_a_mission_is_the_purpose_and_a_place(tmp_path: Path) -> None:
    places = Places(tmp_path)
    lead, ada = told("lead", "mission", places), told("ada", "mission", places)
    for said in (lead, ada):
        assert said.startswith("## What you are here for\n\nThis fleet answers questions.")
    assert "You lead this fleet" in lead
    assert "To you report: `ada` (class researcher), `bob` (class researcher)." in lead
    assert "You report to" not in lead
    assert "You report to `lead` (class lead-researcher): results" in ada
    assert "To you report: `cy` (class copywriter)." in ada
    assert "Nobody reports to you." in told("bob", "mission", places)


def test_whoever_belongs_to_another_system_type_has_its_purpose(tmp_path: Path) -> None:
    assert "makes an offer known" in told("cy", "mission", Places(tmp_path))


def test_a_persons_own_profile_says_the_purpose_and_one_that_is_gone_says_nothing(
    tmp_path: Path,
) -> None:
    places = Places(tmp_path)
    places.local_profiles_directory.mkdir(parents=True)
    (places.local_profiles_directory / "research.yaml").write_text("purpose: We count birds.\n")
    assert "We count birds." in told("ada", "mission", places)
    gone = parse(TEAM.replace("profile: research", "profile: gone"), "roster.yaml")
    pieces = prompt_pieces(gone, agent(gone, "ada"), "east", places)
    mission = next(piece for piece in pieces if piece.about == "mission")
    assert "there is no gone" in mission.source
    assert mission.text.startswith("## What you are here for\n\n* You report to `lead`")


def test_a_roster_without_a_profile_gives_no_mission(roster: Roster, tmp_path: Path) -> None:
    pieces = prompt_pieces(roster, agent(roster, "coder0"), "east", Places(tmp_path))
    assert [piece.about for piece in pieces] == ["role", "comms"]


def test_a_persons_own_words_come_last_from_the_widest_to_the_nearest(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.everyones_overlay_file.parent.mkdir(parents=True)
    places.agents_directory.mkdir(parents=True)
    places.everyones_overlay_file.write_text("Speak Dutch.\n")
    places.class_overlay_file("researcher").write_text("Cite twice.\n")
    places.local_prompt_file("ada").write_text("Ada only.\n")
    assert told("ada", "overlay", places) == "Speak Dutch.\n\nCite twice.\n\nAda only.\n"
    assert told("guest", "overlay", places) == "Speak Dutch.\n"
    team = parse(TEAM, "roster.yaml")
    pieces = prompt_pieces(team, agent(team, "ada"), "east", places)
    assert [piece.about for piece in pieces] == ["role", "mission", "comms", *["overlay"] * 3]
    assert compose(pieces).endswith("Speak Dutch.\n\nCite twice.\n\nAda only.\n")
    assert "overlays" not in known_classes(places)


def test_a_class_without_a_contract_gets_the_general_one(roster: Roster, tmp_path: Path) -> None:
    (first, *_) = prompt_pieces(roster, agent(roster, "odd"), "east", Places(tmp_path))
    assert first.source == "fleet/roles/general.md"


def order(roster: Roster, name: str, tmp_path: Path) -> Order:
    places = (tmp_path / "p.md", tmp_path / "launch", tmp_path / "run" / "its.events")
    return Order(agent(roster, name), 'say "é"\n', *places)


def test_a_start_line_has_model_yolo_prompt_and_args_in_this_order(
    roster: Roster, tmp_path: Path
) -> None:
    launch = RUNTIMES["claude"].launch(order(roster, "coder0", tmp_path))
    assert launch.words == (
        *("claude", "--model", "opus", "--dangerously-skip-permissions"),
        *("--append-system-prompt-file", str(tmp_path / "p.md")),
        *("--settings", str(tmp_path / "launch" / "claude-settings.json"), "--verbose"),
    )
    assert launch.environment["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] == "200000"


def test_codex_gets_its_prompt_as_one_toml_string(roster: Roster, tmp_path: Path) -> None:
    words = RUNTIMES["codex"].launch(order(roster, "far", tmp_path)).words
    assert words[-1] == r'developer_instructions="say \"\u00e9\"\n"'


def test_gemini_is_not_started_where_it_would_not_read_who_it_is(tmp_path: Path) -> None:
    said = "version: 1\nagents: [{name: g, class: code, runtime: gemini}]"
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(UserError, match="g: Gemini CLI reads no settings below"):
        RUNTIMES["gemini"].launch(order(parse(said, "r"), "g", open_to_all / "home"))


@pytest.mark.parametrize("name", sorted(RUNTIMES))
def test_a_command_of_the_roster_replaces_all_words_but_args(name: str, tmp_path: Path) -> None:
    said = (
        f"[{{name: a, class: code, runtime: {name}, command: 'run it', args: [now], yolo: true}}]"
    )
    roster = parse(f"version: 1\nagents: {said}", "r")
    launch = RUNTIMES[name].launch(order(roster, "a", tmp_path))
    assert launch.words == ("run", "it", "now")
    assert all(path.is_relative_to(tmp_path / "launch") for path in launch.files)


def test_opencodes_screen_has_our_plugin_unless_a_person_configures_it(tmp_path: Path) -> None:
    ours, theirs = (
        f"{{name: {name}, class: code, runtime: opencode, env: {env}}}"
        for name, env in (("a", "{}"), ("b", "{OPENCODE_TUI_CONFIG: /mine.json}"))
    )
    roster = parse(f"version: 1\nagents: [{ours}, {theirs}]", "r")
    launch = RUNTIMES["opencode"].launch(order(roster, "a", tmp_path))
    hatch = tmp_path / "launch" / "hatch"
    assert launch.environment["OPENCODE_TUI_CONFIG"] == str(hatch / "tui.json")
    assert json.loads(launch.files[hatch / "tui.json"]) == {
        "plugin": [(hatch / "hatch.js").as_uri()]
    }
    assert launch.files[hatch / "hatch.js"].startswith(f'const FOLDER = "{hatch}";\n')
    left_alone = RUNTIMES["opencode"].launch(order(roster, "b", tmp_path))
    assert "OPENCODE_TUI_CONFIG" not in left_alone.environment
    assert hatch / "hatch.js" not in left_alone.files
