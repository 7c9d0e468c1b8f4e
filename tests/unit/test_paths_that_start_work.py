"""Every path that can start work is on a list here, with how it heeds a pause.

A path that is not on a list fails the test until somebody has thought of it and placed it.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bot.command.catalog import read_topic
from bot.wiring.topics import TOPICS
from storage.queries import Queries, Query, topics

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "commands", "connectors", "fleet", "storage", "web")

CLAIMS = {
    "claims.claim_card": "claims nothing while a pause stands",
    "dispatches.assign_card": "the supervisor's claim: gives nothing while a pause stands",
    "claims.extend_claim": "lengthens a claim that is held: what is under way is finished",
    "cards.move_cards": "takes a claim away; the table's card_claim_whole refuses a claim without a token",
}
"""Statements that write what makes a claim."""

INSERTS = {
    "cards.insert_card": "says no status of its own beside blocked; a claim needs five columns that it has not",
    "shipments.insert_cards": "the same; card_claim_whole refuses `claimed` without them",
}
"""Statements that make cards."""

TYPED = {
    "mailbox.permit_typing": "the permit: typed only while no pause forbids it",
}
"""Statements that write receipts of the state typed; record_receipt is never asked for one (Outbox.record)."""

RECEIPTS = {
    "mailbox.store_letters": "states `stored` only",
    "mailbox.settle_delivery": "states how a delivery ended, after its permit",
    "mailbox.record_receipt": "every state but typed: Outbox.record sends that one to permit_typing",
    "mailbox.permit_typing": TYPED["mailbox.permit_typing"],
    "mailbox.withdraw_mail": "states `failed` only",
    "correspondence.retry_dead": "states `stored` only",
}
"""Statements that add receipts."""

KEYS = {
    "fleet/delivery/keyboard.py:Keyboard.type": "after the permit, which AgentCarrier asks for right before",
    "fleet/delivery/keyboard.py:Keyboard._enter": "ends what the permit was given for; who looks again asks for a freeze first",
    "fleet/delivery/carrier.py:AgentCarrier._interrupt": "asks _heed_pause under the pane's lock",
    "fleet/watch/dialogs.py:LocalDialogs.answer": "a person's own key; a freeze refuses it",
}
"""Calls that paste into a pane of an agent or press a key there."""

KEYBOARDS = {
    "fleet/delivery/carrier.py:AgentCarrier._keyboard": "for _type, which records TYPED, the permit, right before it types, and "
    "for _recollect, which asks _heed_pause first",
}
"""Those who sit down at a keyboard."""

RECORDS = {
    "fleet/delivery/carrier.py:AgentCarrier._type": "the permit to type",
    "fleet/delivery/carrier.py:AgentCarrier._hand_over": "the same permit, before a message goes through a hatch",
}
"""Calls that record TYPED."""

CLAIMERS = {
    "commands/backlog.py:BacklogCommands.claim": "people, and agents by their token: the statement knows which",
}
"""Who asks the port Claims for a claim."""

DISPATCHERS = {
    "bot/supervision/tick.py:Tick._dispatch": "gives nothing out when its look shows a pause, and the statement looks again",
}
"""Who hands out cards."""

SPEAKERS = {
    "bot/supervision/tick.py:Tick._say": "its author is the supervisor, whose words the permit holds back; Send and Ask wait",
    "bot/supervision/tick.py:Tick._ask_for_more": "the same",
}
"""Who speaks to agents as the supervisor."""

RAW_TMUX = {"fleet/tmux/guard.py"}
"""Files that may speak of tmux's own words for typing."""


def _queries() -> Iterator[tuple[str, Query]]:
    for topic in topics():
        for query in Queries.load(topic):
            yield f"{topic}.{query.name}", query


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def _where(name: str, tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Return every node with the class and function around it."""

    def walk(node: ast.AST, names: tuple[str, ...]) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inside = names
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                inside = (*names, child.name)
            yield f"{name}:{'.'.join(names)}", child
            yield from walk(child, inside)

    return walk(tree, ())


def _calls(methods: set[str], receiver: str) -> set[str]:
    """Return where methods of these names are called, on a receiver whose source ends so."""
    return {
        where
        for where, call in _all_calls()
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in methods
        and ast.unparse(call.func.value).endswith(receiver)
    }


def _all_calls() -> Iterator[tuple[str, ast.Call]]:
    for name, tree in _trees():
        for where, node in _where(name, tree):
            if isinstance(node, ast.Call):
                yield where, node


def test_every_statement_that_writes_a_claim_is_placed() -> None:
    writes = re.compile(r"\bSET\b[^;]*?\b(claim_owner|claim_token|claimed_at)\s*=", re.DOTALL)
    assert {name for name, query in _queries() if writes.search(query.sql)} == set(CLAIMS)
    for name, query in _queries():
        claimed = re.search(r"status\s*=\s*'claimed'\s*,", query.sql)
        assert not claimed or name in {"claims.claim_card", "dispatches.assign_card"}, name


def test_every_statement_that_makes_cards_is_placed() -> None:
    makes = re.compile(r"\bINSERT INTO card\s*\(([^)]*)\)", re.DOTALL)
    found = {name: match for name, query in _queries() if (match := makes.search(query.sql))}
    assert set(found) == set(INSERTS)
    assert all("claim" not in match[1] for match in found.values())


def test_every_statement_that_adds_receipts_is_placed() -> None:
    adds = re.compile(r"\bINSERT INTO receipt\b")
    assert {name for name, query in _queries() if adds.search(query.sql)} == set(RECEIPTS)


def test_what_starts_work_asks_for_pauses_in_the_statement_itself() -> None:
    found = dict(_queries())
    for name in ("claims.claim_card", "dispatches.assign_card", *TYPED):
        assert re.search(r"\bpause\b.*lifted_at IS NULL", found[name].sql, re.DOTALL), name


def test_every_key_that_is_pressed_in_a_pane_is_placed() -> None:
    assert _calls({"paste", "press"}, "terminal") == set(KEYS)
    seated = {where for where, call in _all_calls() if ast.unparse(call.func) == "Keyboard"}
    assert seated == set(KEYBOARDS)


def test_every_word_of_tmux_that_types_is_where_the_others_are() -> None:
    words = re.compile(r"[\"'](send-keys|paste-buffer|send-prefix)\b|send-keys |paste-buffer ")
    found = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if words.search(path.read_text(encoding="utf-8"))
    }
    assert found == RAW_TMUX


def test_every_permit_to_type_is_asked_for_where_it_is_used() -> None:
    asking = {
        where
        for where, call in _all_calls()
        if "record" in ast.unparse(call.func) and "ReceiptState.TYPED" in ast.unparse(call)
    }
    assert asking == set(RECORDS)


def test_everybody_who_claims_cards_is_placed() -> None:
    assert _calls({"claim"}, "claims") == set(CLAIMERS)


def test_everybody_who_hands_out_cards_is_placed() -> None:
    assert _calls({"assign"}, "dispatches") == set(DISPATCHERS)


def test_everybody_who_speaks_as_the_supervisor_is_placed() -> None:
    speaking = {
        where
        for where, call in _all_calls()
        if ast.unparse(call.func) == "Message"
        and any(
            word.arg == "author" and "SUPERVISOR" in ast.unparse(word.value)
            for word in call.keywords
        )
    }
    assert speaking == set(SPEAKERS)


def test_pause_and_resume_are_for_every_face() -> None:
    names = {command.name for topic in TOPICS for command in read_topic(topic)}
    assert {"pause", "resume"} <= names
