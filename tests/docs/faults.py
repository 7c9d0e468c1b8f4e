"""The page with the table of faults: which connectors it has, and what stands around it."""

from connectors.registry import KINDS as REGISTERED
from tests.docs.pages import ROOT

KINDS = tuple(sorted(REGISTERED))
PAGE = ROOT / "docs" / "reference" / "faults.md"
_HEAD = """\
<!-- Made by `make faults` from what was seen; change connectors/faults.py and the stages. -->

# What connectors survive

Every connector talks through every fault: people speak and the bot sends, before, during and after it, on the real
platform's wire where there is one. A text is lost when it never comes to the other side, doubled when it comes more often than it was said; in
order means in the order of its place. Each run of the tests compares what it sees with this table.

"""
_TAIL = """
* **500 storm**: requests fail with 500 for a while; half of those that send something were obeyed all the same.
* **429 with body**, **429 without body**: the limit is told in the body (`retry_after_ms`), or in the header
  `Retry-After` alone.
* **socket cut after accept**: the other side has taken a message, and its answer is cut off or never comes.
* **duplicate delivery**: all that comes in comes twice, and all that goes out arrives twice.
* **restart mid-batch**: the process ends while a batch is read and messages are under way, three times in a row.
* **reorder**: places come in any order, and requests overtake each other if they can.
* **slow server**: every answer is late and comes in pieces.
* **clock skew**: events are dated 1970 and 2200 in turns.
"""


def page(table: str) -> str:
    """Return the page around a table."""
    return f"{_HEAD}{table}{_TAIL}"
