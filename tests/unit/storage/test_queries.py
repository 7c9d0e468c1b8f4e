"""The loader of named queries refuses what is not well formed and what is called wrongly."""

import re
from typing import Any

import pytest

from storage.queries import Queries, storable, topics

GOOD = """
-- A file may begin with words.

-- name: find(owner, ttl)
-- Why it is so,
-- in two lines.
SELECT $1, $2;
"""


class Listening:
    """A connection that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def fetchrow(self, *arguments: Any) -> None:
        self.asked.append(arguments)


async def test_arguments_go_to_their_places() -> None:
    connection = Listening()
    await Queries.parse("t", GOOD).find.fetchrow(connection, ttl=5, owner="me")
    assert connection.asked == [("SELECT $1, $2", "me", 5)]


def test_a_query_knows_why() -> None:
    assert Queries.parse("t", GOOD).find.why == "Why it is so, in two lines."


@pytest.mark.parametrize(
    "given", [{"owner": "me"}, {"owner": "me", "ttl": 1, "more": 2}, {"owner": 1, "tll": 2}]
)
async def test_wrong_keywords_are_a_type_error(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="query find: missing"):
        await Queries.parse("t", GOOD).find.fetchrow(Listening(), **given)


def test_an_unknown_query_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"t\.sql has no query lose"):
        _ = Queries.parse("t", GOOD).lose


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("-- name: a()\nSELECT 1", "does not say why"),
        ("-- name: a(b)\n-- Why.\nSELECT 1", "takes"),
        ("-- name: a()\n-- Why.\nSELECT $1", "takes"),
        ("-- name: A B\n-- Why.\nSELECT 1", "not a query's head"),
        ("SELECT 1", "before the first query"),
        ("-- name: a()\n-- Why.\nSELECT 1\n-- name: a()\n-- Why.\nSELECT 1", "twice"),
    ],
)
def test_a_file_that_is_not_well_formed_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Queries.parse("t", text)


def test_what_postgres_cannot_hold_becomes_a_replacement_character() -> None:
    given = {"a\x00": ["b\ud800", {"c": ("d\n", 1, None)}]}
    assert storable(given) == {"a\ufffd": ["b\ufffd", {"c": ["d\n", 1, None]}]}


def test_a_claim_is_set_in_two_statements_and_cleared_in_one() -> None:
    queries = [query for topic in topics() for query in Queries.load(topic)]
    columns = ("claim_owner", "claim_token", "claim_ttl_seconds", "claimed_at", "claim_expires_at")
    for column in columns:
        setting = re.compile(rf"\b{column} = (?!NULL)[^,]*(,|$|\n)")
        clearing = re.compile(rf"\b{column} = NULL")
        cleared = {query.name for query in queries if clearing.search(query.sql)}
        given = {query.name for query in queries if setting.search(_set_clauses(query.sql))}
        assert cleared == {"move_cards"}
        assert given - {"extend_claim"} <= {"claim_card", "assign_card"}
    assert "claim_token" not in Queries.load("claims").extend_claim.sql


def _set_clauses(sql: str) -> str:
    return "\n".join(re.findall(r"\bSET\b(.*?)\bWHERE\b", sql, re.DOTALL))
