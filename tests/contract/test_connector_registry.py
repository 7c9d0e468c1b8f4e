"""Every kind of connector is found by its name, at the price of its own libraries alone."""

import subprocess
import sys

import pytest

from bot.errors import SetupError
from connectors.registry import KINDS, constructor


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_leads_to_a_connector_of_that_kind(kind: str) -> None:
    assert vars(constructor(kind))["kind"] == kind


def test_an_unknown_kind_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(SetupError, match="'irc'; allowed are tmux, matrix, discord, memory"):
        constructor("irc")


def test_one_kind_does_not_import_the_libraries_of_another() -> None:
    check = "import sys; from connectors.registry import constructor; constructor('memory'); sys.exit(bool({'nio', 'aiohttp', 'discord'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
