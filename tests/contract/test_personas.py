"""The port Personas: one suite for the files and for memory."""

from pathlib import Path

import pytest

from bot.agents.personas import Footing, Personas
from bot.config.places import Places
from bot.errors import UserError
from fleet.personas.library import LocalPersonas
from tests.fakes.personas import MemoryPersonas


@pytest.fixture(params=["memory", "local"])
def personas(request: pytest.FixtureRequest, tmp_path: Path) -> Personas:
    return MemoryPersonas() if request.param == "memory" else LocalPersonas(Places(tmp_path))


def test_a_class_is_described_with_its_front_matter_and_its_contract(personas: Personas) -> None:
    found = personas.describe("code")
    assert (found.agent_class, found.domain, found.model_tier) == ("code", "engineering", "large")
    assert (found.source, found.footing) == ("fleet/roles/code.md", Footing.SHIPPED)
    assert found.contract.startswith("# ")
    assert found in personas.classes()


def test_the_classes_stand_in_the_order_of_their_domains_and_names(personas: Personas) -> None:
    found = [(one.domain, one.agent_class) for one in personas.classes()]
    assert found == sorted(found)
    assert ("engineering", "review") in found
    assert "general" not in {name for _, name in found}


def test_a_class_that_nobody_describes_is_refused(personas: Personas) -> None:
    for ask in (personas.describe, personas.compare):
        with pytest.raises(UserError, match="name: there is no class alchemy"):
            ask("alchemy")
    with pytest.raises(UserError, match="name: there is no class alchemy"):
        personas.copy("alchemy", "alchemy")


def test_a_copy_is_a_persons_own_from_then_on(personas: Personas) -> None:
    path = personas.copy("code", "code")
    assert path.name == "code.md"
    found = personas.describe("code")
    assert (found.source, found.footing) == (str(path), Footing.SAME)
    assert personas.compare("code").footing is Footing.SAME
    with pytest.raises(UserError, match=r"code\.md is there already"):
        personas.copy("code", "code")


def test_a_copy_of_another_name_adds_a_class(personas: Personas) -> None:
    personas.copy("code", "gardener")
    found = personas.describe("gardener")
    assert (found.domain, found.footing) == ("engineering", Footing.OWN)
    assert "gardener" in {one.agent_class for one in personas.classes()}
    with pytest.raises(UserError, match="the library has a class review already"):
        personas.copy("code", "review")


def test_there_is_nothing_to_compare_or_to_acknowledge_without_an_own_file(
    personas: Personas,
) -> None:
    found = personas.compare("review")
    assert (found.footing, found.brings, found.collisions) == (Footing.SHIPPED, "", ())
    with pytest.raises(UserError, match=r"there is no .*review\.md"):
        personas.acknowledge("review")


def test_what_is_acknowledged_is_the_same_again(personas: Personas) -> None:
    personas.copy("review", "review")
    personas.acknowledge("review")
    assert personas.describe("review").footing is Footing.SAME
    assert list(personas.refusals()) == []
