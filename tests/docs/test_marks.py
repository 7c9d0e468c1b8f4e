"""The table of marks in the pages is the one that the bot uses."""

import re

from bot.mail.marks import LONG, MAIL_MARKS
from tests.docs.pages import ROOT

ROW = re.compile(r"^\| (\S+) \| (\w+) \| ", re.MULTILINE)


def test_every_mark_of_mail_is_in_the_table_and_no_other() -> None:
    page = (ROOT / "docs/howto/agents.md").read_text(encoding="utf-8")
    rows = {state: mark for mark, state in ROW.findall(page) if state != "state"}
    assert rows == {state.value: mark for state, mark in MAIL_MARKS.items()}
    assert f"more than {LONG.total_seconds():g} seconds" in page


def test_the_glossary_names_every_mark() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    entry = glossary.partition("* **Mark**")[2].partition("\n* ")[0]
    for state, mark in MAIL_MARKS.items():
        assert mark in entry
        assert state.value in entry
