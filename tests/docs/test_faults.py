"""The table of faults is complete: every fault for every connector, and nothing lost in any."""

import re

import pytest

from connectors.faults import Fault, FaultTable
from tests.docs.faults import KINDS, PAGE, page

TABLE = FaultTable.read(PAGE.read_text(encoding="utf-8"))
CLEAN = re.compile(r"[1-9]\d* in, [1-9]\d* out: lost 0, doubled 0, in order")


def test_the_page_is_the_one_that_would_be_written() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(TABLE.markdown(KINDS))


def test_the_table_has_every_fault_for_every_connector_and_no_other() -> None:
    assert set(TABLE.cells) == {(kind, fault) for kind in KINDS for fault in Fault}


@pytest.mark.parametrize(("kind", "fault"), sorted(TABLE.cells))
def test_a_fault_is_survived_or_cannot_happen_for_a_reason(kind: str, fault: str) -> None:
    cell = TABLE.cells[kind, fault]
    assert CLEAN.fullmatch(cell) or re.fullmatch(r"cannot happen: \S.{10,}", cell)


def test_discord_matrix_and_memory_have_every_fault() -> None:
    cells = [
        TABLE.cells[kind, fault] for kind in ("discord", "matrix", "memory") for fault in Fault
    ]
    assert all(CLEAN.fullmatch(cell) for cell in cells)


def test_every_fault_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [fault for fault in Fault if f"**{fault}**" not in text] == []
