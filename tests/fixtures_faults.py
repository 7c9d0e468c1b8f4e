"""The table of faults: gathered while the suites run, compared with the page, or written into it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.faults import FaultTable
from tests.docs.faults import KINDS, PAGE, page


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option with which `make faults` writes the page."""
    parser.addoption(
        "--write-faults", action="store_true", help="write what was seen into the page"
    )


@pytest.fixture(scope="session")
def fault_table(request: pytest.FixtureRequest) -> Iterator[FaultTable]:
    """What was seen; in the end the page must say the same, or is written anew."""
    table = FaultTable()
    yield table
    if request.config.getoption("--write-faults"):
        PAGE.write_text(page(table.markdown(KINDS)), encoding="utf-8")
    written = FaultTable.read(Path(PAGE).read_text(encoding="utf-8")).cells
    differing = {cell: seen for cell, seen in table.cells.items() if written.get(cell) != seen}
    assert differing == {}, "docs/reference/faults.md says something else: run `make faults`"
