"""The roster: what it may say, and how it refuses the rest."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import fleet
from bot.errors import SetupError, UserError
from fleet.roster.file import demo_roster, load, parse, schema_text

FULL = """\
version: 1
transport: tmux
tmux: {socket_name: mosaic-fleet, holder_session: _holder}
defaults: {working_directory: ~/src}
connector: {kind: matrix, matrix: {homeserver_url: 'https://example.org', user_id: '@mos:example.org', room_id: '!ops:example.org'}}
connectors: [{kind: tmux}]
agents:
  - {name: coder0, class: code, runtime: claude, model_hint: opus, reset_between_tasks: true, host: one, ssh: ann@one, socket: other,
     working_directory: ~/src/app, yolo: false, command: null, args: [--verbose], env: {NO_COLOR: '1'}, env_from: [ANTHROPIC_API_KEY],
     persistent_persona: true, channels: ['!room:example.org'], alias: Cody, context_tokens: 200000}
  - name: orchestrator
    class: orchestrator
    runtime: dogfood
"""


def refusal(text: str) -> str:
    with pytest.raises(UserError) as caught:
        parse(text, "roster.yaml")
    return caught.value.message


def fate(text: str) -> str:
    """Return the refusal of a text, or nothing when it is a good roster."""
    try:
        parse(text, "roster.yaml")
    except UserError as error:
        return error.message
    return ""


def agent(**fields: str) -> str:
    said = {"name": "a", "class": "code", "runtime": "dogfood"} | fields
    pairs = ", ".join(f"{name}: {value}" for name, value in said.items())
    return f"version: 1\nagents:\n  - {{{pairs}}}\n"


def test_every_field_of_the_contract_is_read() -> None:
    roster = parse(FULL, "roster.yaml")
    coder, orchestrator = roster.agents
    assert coder.agent_class == "code"
    assert coder.env == {"NO_COLOR": "1"}
    assert coder.context_tokens == 200_000
    assert orchestrator.runtime == "dogfood"
    assert roster.connector.matrix is not None
    assert [block.kind for block in roster.connectors] == ["tmux"]
    home = Path("~").expanduser()
    assert roster.working_directory(coder, home) == home / "src" / "app"
    assert roster.working_directory(orchestrator, home) == home / "src"
    assert [found.name for found in roster.agents_on("two")] == ["orchestrator"]


def test_an_absent_connector_is_tmux_and_an_absent_socket_the_default_one() -> None:
    roster = parse("version: 1\n", "roster.yaml")
    assert roster.connector.kind == "tmux"
    assert roster.tmux.socket_name is None


def test_the_demo_roster_is_valid_and_has_an_orchestrator_and_an_enhancer() -> None:
    roster = parse(demo_roster("mosaic-fleet-0a1b2c3d"), "roster.yaml")
    assert [(one.name, one.runtime) for one in roster.agents] == [
        ("orchestrator", "dogfood"),
        ("enhancer", "dogfood"),
    ]
    assert roster.tmux.socket_name == "mosaic-fleet-0a1b2c3d"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "roster.yaml:1: the file is empty"),
        ("[]", "roster.yaml:1: a roster is a mapping"),
        ("version: 2", "roster.yaml:1: version: 2 is not allowed; allowed: 1"),
        ("version: 1\nversion: 1", "roster.yaml:2: version stands here twice"),
        ("version: 1\nagent: []", "roster.yaml:2: agent: there is no such key; allowed: version,"),
        ("version: 1\na: &x 1\nb: *x", "roster.yaml:3: *x: write it out"),
        ("version: 1\nagents: [", "roster.yaml:2: not YAML"),
        ("[" * 5000, "roster.yaml:1: nested deeper than 16"),
        ("x" * 300_000, "roster.yaml:1: longer than"),
        ("version: 1\n\0", "roster.yaml:2: not YAML"),
        ("version: !!python/object:os.system 1", "roster.yaml:1: cannot read '1'"),
        (agent(runtime="dogfod"), "roster.yaml:3: agents[0].runtime: 'dogfod' is not allowed; allowed: 'claude'"),
        (agent(name="a.b"), "roster.yaml:3: agents[0].name: 'a.b' must match"),
        (agent(name="_holder"), "roster.yaml:3: agents[0].name: '_holder' must match"),
        (agent(colour="red"), "roster.yaml:3: agents[0].colour: there is no such key; allowed: name, class,"),
        (agent(env_from="[DATABASE_URL]"), "DATABASE_URL is never given to an agent"),
        (agent(env_from="[MATRIX_ACCESS_TOKEN]"), "MATRIX_ACCESS_TOKEN is never given to an agent"),
        (agent(env_from="[MOSAIC_HOME]"), "MOSAIC_HOME is never given to an agent"),
        (agent(env="{MOSAIC_AGENT_FILE: x}"), "MOSAIC_AGENT_FILE cannot be set in a roster"),
        (agent(env="{A: 1}"), "roster.yaml:3: agents[0].env.A: 1: Input should be a valid string"),
        ("version: 1\nagents: nobody", "roster.yaml:2: agents: 'nobody': not a list"),
        (agent(env='{A: "x\\ny"}'), "must be one line"),
        (agent(command="''"), "agents[0].command: must name a program"),
        (agent(command="'\"'"), "agents[0].command: No closing quotation"),
        (agent(runtime="generic"), "runtime generic needs a command"),
        (agent(yolo="perhaps"), "roster.yaml:3: agents[0].yolo: 'perhaps'"),
        (agent() + "  - {name: a, class: b, runtime: bash}", "two agents are named a"),
        ("version: 1\nconnector: {kind: slack}", "roster.yaml:2: connector.kind: 'slack' is not allowed"),
        ("version: 1\nconnector: {kind: matrix}", "kind matrix needs a matrix block"),
        ("version: 1\nconnectors: [{kind: tmux}]", "connector kind tmux is named twice"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_line_and_what_is_allowed(text: str, said: str) -> None:
    assert said in refusal(text)


def test_the_first_wrong_line_is_named() -> None:
    text = (
        agent()
        + "  - {name: b, class: c,\n     runtime: x}\n  - {name: '?', class: c, runtime: y}\n"
    )
    assert refusal(text).startswith("roster.yaml:5: agents[1].runtime")


def test_a_file_that_is_missing_or_wrong_is_a_setup_error_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "roster.yaml"
    with pytest.raises(SetupError, match=re.escape(f"{path}:1: there is no roster")):
        load(path)
    path.write_bytes(b"version: \xff")
    with pytest.raises(SetupError, match=re.escape(f"{path}:1: cannot be read")):
        load(path)
    path.write_text("version: 3")
    with pytest.raises(SetupError, match=re.escape(f"{path}:1: version: 3")):
        load(path)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_mutated_roster_is_read_or_refused_with_a_line(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(FULL) - 1))
    length = data.draw(st.integers(0, 12))
    inserted = data.draw(st.text(max_size=6))
    text = FULL[:at] + inserted + FULL[at + length :]
    assert re.match(r"$|roster\.yaml:[1-9]\d*: \S", fate(text))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["version", "agents", "tmux", "x"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    )
)
def test_any_yaml_is_read_or_refused_with_a_line(value: object) -> None:
    assert re.match(r"$|roster\.yaml:[1-9]\d*: \S", fate(yaml.safe_dump(value)))


def test_the_shipped_schema_is_the_models() -> None:
    shipped = Path(fleet.__file__).with_name("roster.schema.json")
    assert shipped.read_text() == schema_text()


CHAIN = """\
version: 1
agents:
  - {name: a, class: code, runtime: dogfood}
  - {name: b, class: code, runtime: dogfood, reports_to: a}
  - {name: c, class: orchestrator, runtime: dogfood, reports_to: b}
"""


def test_people_talk_to_the_lead_else_to_the_first_orchestrator() -> None:
    def leader(text: str) -> str | None:
        found = parse(text, "roster.yaml").leader
        return None if found is None else found.name

    assert leader(CHAIN) == "c"
    assert leader(f"lead: a\n{CHAIN}") == "a"
    assert leader(agent()) is None
    assert [one.name for one in parse(CHAIN, "r").reports_of("a")] == ["b"]


def test_the_floor_is_an_orchestrator_and_an_enhancer_unless_it_is_said() -> None:
    assert parse(CHAIN, "r").floor == ("orchestrator", "enhancer")
    assert parse(f"floor: [ceo]\n{CHAIN}", "r").floor == ("ceo",)


def test_a_superior_and_a_lead_must_be_there_and_nobody_stands_above_himself() -> None:
    assert refusal(CHAIN.replace("reports_to: a", "reports_to: x")) == (
        "roster.yaml:2: agents: b: reports_to: no agent is named x"
    )
    ring = CHAIN.replace("name: a, class: code", "name: a, class: code, reports_to: c")
    assert "roster.yaml:2: agents: a: reports_to goes in a circle: a → c → b → a" in refusal(ring)
    assert refusal(f"{CHAIN}lead: x\n") == (
        "roster.yaml:6: lead: no agent is named x; the roster has: a, b, c"
    )
    own = agent(reports_to="a")
    assert "a: reports_to goes in a circle: a → a" in refusal(own)


def test_a_budget_says_at_least_one_bound() -> None:
    assert "agents[0].budget: says nothing" in refusal(agent(budget="{}"))
    assert "dollars_per_day: -1: " in refusal(agent(budget="{dollars_per_day: -1}"))
    (one,) = parse(agent(budget="{dollars_per_day: 2.0, tokens_per_day: 5}"), "r").agents
    assert one.budget is not None
    assert one.budget.plain() == {"dollars_per_day": 2, "tokens_per_day": 5}
