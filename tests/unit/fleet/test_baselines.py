"""A person's own files over releases: they always win, and what a changed baseline would bring is shown."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.agents.personas import Footing
from bot.config.places import Places
from bot.errors import UserError
from fleet.personas.baselines import Baselines
from fleet.personas.contracts import shipped_contract
from fleet.personas.library import LocalPersonas
from fleet.personas.own_contracts import OwnContracts
from fleet.personas.persona import persona

CODE = shipped_contract("code")
assert CODE is not None
TEXT = CODE.text
# The contract as a next release may have it.
NEXT = TEXT.replace("model_tier: large", "model_tier: medium").replace("# Code\n", "# Coder\n")


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    places.local_roles_directory.mkdir(parents=True)
    return places


def release(places: Places, **changed: str) -> LocalPersonas:
    """Return the library of a release in which these contracts are others."""
    return LocalPersonas(places, lambda name: changed.get(name, shipped(name)))


def shipped(name: str) -> str:
    found = shipped_contract(name)
    return "" if found is None else found.text


def write(places: Places, name: str, text: str) -> Path:
    path = places.local_roles_directory / f"{name}.md"
    path.write_text(text)
    return path


def tree(places: Places) -> Mapping[str, str]:
    files = (path for path in places.local_roles_directory.rglob("*") if path.is_file())
    return {str(path.relative_to(places.home)): path.read_text() for path in files}


def test_an_update_leaves_an_own_file_as_it_is_and_shows_what_it_would_bring(
    places: Places,
) -> None:
    own = TEXT.replace("## Persona\n", "## Persona\nOurs. ")
    path = write(places, "code", own)
    Baselines(places).note()
    before = tree(places)
    library = release(places, code=NEXT)
    assert library.describe("code").footing is Footing.CHANGED
    found = library.compare("code")
    assert tree(places) == before
    assert persona("code", places).contract == own.split("---\n", 2)[2]
    added = [line for line in found.brings.splitlines() if line.startswith("+")]
    assert added == [
        f"+++ {path} with what fleet/roles/code.md brings",
        "+model_tier: medium",
        "+# Coder",
    ]
    assert "-model_tier: large" in found.since
    assert "+Ours. A careful engineer" in found.own
    assert (found.collisions, found.known) == ((), True)


def test_lines_that_both_changed_are_named_with_their_place(places: Places) -> None:
    write(places, "code", TEXT.replace("model_tier: large", "model_tier: small"))
    Baselines(places).note()
    (collision,) = release(places, code=NEXT).compare("code").collisions
    assert collision.line == 6
    assert (collision.theirs, collision.ours) == ("model_tier: small\n", "model_tier: medium\n")


def test_after_it_is_acknowledged_the_comparison_begins_anew(places: Places) -> None:
    write(places, "code", TEXT)
    Baselines(places).note()
    library = release(places, code=NEXT)
    library.acknowledge("code")
    found = library.compare("code")
    assert (found.footing, found.brings, found.since) == (Footing.SAME, "", "")
    assert "-model_tier: medium\n+model_tier: large" in found.own


def test_an_own_class_of_which_one_ships_later_and_one_that_ships_no_more(places: Places) -> None:
    write(places, "alchemy", "# Gold\n")
    write(places, "code", TEXT)
    Baselines(places).note()
    assert release(places).describe("alchemy").footing is Footing.OWN
    later = release(places, alchemy="# Alchemy\n", code="")
    found = later.compare("alchemy")
    assert found.footing is Footing.CHANGED
    assert found.since.endswith("+# Alchemy\n")
    gone = later.compare("code")
    assert gone.footing is Footing.CHANGED
    assert "-# Code" in gone.since


def test_without_a_known_baseline_the_one_of_today_is_taken_and_that_is_said(
    places: Places,
) -> None:
    write(places, "code", TEXT.replace("# Code", "# Our code"))
    found = release(places, code=NEXT).compare("code")
    assert (found.footing, found.known, found.brings) == (Footing.SAME, False, "")
    assert "+# Our code" in found.own


def test_a_file_that_cannot_be_used_is_compared_all_the_same(places: Places) -> None:
    path = write(places, "code", TEXT.replace("model_tier: large", "model_tier: huge"))
    library = release(places)
    assert library.describe("code").footing is Footing.REFUSED
    assert "+model_tier: huge" in library.compare("code").own
    path.write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"code\.md:1: cannot be read"):
        library.compare("code")


def test_the_only_file_of_a_class_that_cannot_be_used_is_the_reason_that_is_given(
    places: Places,
) -> None:
    path = write(places, "alchemy", "---\nmodel_tier: huge\n---\n# Gold\n")
    with pytest.raises(UserError) as caught:
        release(places).describe("alchemy")
    assert caught.value.message.startswith(f"{path}:2: model_tier: 'huge' is not allowed")
    assert caught.value.code == "wrong_file"


def test_near_names_are_offered(places: Places) -> None:
    with pytest.raises(UserError, match="there is no class reviw; near: review"):
        release(places).describe("reviw")


def test_a_copy_begins_with_what_ships_and_knows_it(places: Places) -> None:
    path = release(places).copy("code", "gardener")
    assert path.read_text() == TEXT.replace("class: code", "class: gardener")
    assert persona("gardener", places).refused is None
    path = release(places, code=NEXT).copy("code", "code")
    assert path.read_text() == NEXT
    assert release(places, code=NEXT).compare("code").since == ""


def test_a_baseline_is_kept_once_and_let_go_at_a_start_only(places: Places) -> None:
    path = write(places, "code", TEXT)
    contracts = OwnContracts(places, lambda _: None)
    contracts.begin()
    kept = places.local_roles_directory / ".baseline" / "code.md"
    assert kept.read_text() == TEXT
    kept.write_text("# An older one\n")
    path.unlink()
    contracts.look()
    contracts.look()
    write(places, "code", "# Anew\n")
    contracts.look()
    contracts.look()
    assert kept.read_text() == "# An older one\n"
    path.unlink()
    OwnContracts(places, lambda _: None).begin()
    assert not kept.exists()


def test_what_cannot_be_used_is_told_once_and_again_when_it_comes_back(places: Places) -> None:
    told: list[str] = []
    contracts = OwnContracts(places, told.append)
    contracts.begin()
    assert (contracts.refusals, told) == ((), [])
    path = write(places, "code", "---\nmodel_tier: huge\n---\n")
    contracts.look()
    assert told == []  # it may be half written
    contracts.look()
    contracts.look()
    (refusal,) = contracts.refusals
    assert refusal.startswith(f"{path}:2: model_tier: 'huge' is not allowed")
    assert told == [f"A contract of yours is not used: {refusal}"]
    path.write_text("# Ours\n")
    contracts.look()
    contracts.look()
    assert contracts.refusals == ()
    path.write_text("---\nmodel_tier: huge\n---\n")
    contracts.look()
    contracts.look()
    assert len(told) == 2


def test_a_folder_that_cannot_be_written_costs_the_baseline_alone(
    places: Places,
) -> None:
    write(places, "code", "# Ours\n")
    (places.local_roles_directory / ".baseline").write_text("in the way")
    contracts = OwnContracts(places, lambda _: None)
    contracts.begin()
    assert contracts.refusals == ()
    assert persona("code", places).contract == "# Ours\n"
    assert LocalPersonas(places).compare("code").known is False
