"""Who is measured: each one's tables, its cards, its claim as a statement, and how claimed cards come back.

All hold the same backlog: of a hundred cards 38 can be claimed, 50 are done, 12 wait for another; every
second one names one to three others; ten priorities. Claimed cards come back by a statement of their own,
one for so many claims, so that a round of any length never runs dry.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from storage.queries import Queries

CARDS = """
SELECT 'C' || g AS id, g, 'card ' || g AS title, (g * 7919::bigint) % 10 AS priority,
    CASE WHEN g % 100 BETWEEN 38 AND 87 THEN 'done' ELSE 'ready' END AS status,
    CASE WHEN g % 100 >= 88 THEN 1 ELSE 0 END AS unmet_deps,
    now() - make_interval(secs => g * 0.001) AS created_at
FROM generate_series(1, {size}) AS g
"""
NEEDS = """
SELECT 'C' || g AS id, 'C' || (g - g % 100 + 38 + (g + step * 7) % 50) AS needs_id
FROM generate_series(1, {size} - 100) AS g, generate_series(0, 2) AS step
WHERE g % 2 = 0 AND step <= (g / 2) % 3 AND g % 100 < 38
UNION ALL
SELECT 'C' || g, 'C' || (g - g % 100 + g % 38) FROM generate_series(100, {size} - 100) AS g
WHERE g % 100 >= 88 AND g - g % 100 + g % 38 > 0
"""

_FLOOR_TABLES = """
CREATE TABLE card (
    id text COLLATE "C" PRIMARY KEY, title text, priority integer, status text, unmet_deps integer,
    created_at timestamptz, claim_owner text, claim_token text, claimed_at timestamptz
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
CREATE INDEX card_claimable ON card (priority DESC, created_at, id) WHERE status = 'ready' AND unmet_deps = 0;
CREATE TABLE card_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, card_id text, at timestamptz DEFAULT now(), action text
);
"""
_FLOOR_CLAIM = """
WITH taken AS (
    UPDATE card SET status = 'claimed', claim_owner = 'w', claim_token = 't', claimed_at = now()
    WHERE id = (
        SELECT id FROM card WHERE status = 'ready' AND unmet_deps = 0
        ORDER BY priority DESC, created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id
)
INSERT INTO card_event (card_id, action) SELECT id, 'claim' FROM taken RETURNING card_id;
"""
_REFERENCE_TABLES = """
CREATE TABLE backlog (
    id text PRIMARY KEY, title text, priority integer, status text, depends_on jsonb, created_at timestamptz,
    updated_at timestamptz, claim_owner text, claim_ttl_seconds integer, claimed_at timestamptz,
    attempts integer DEFAULT 0
);
"""
_REFERENCE_CLAIM = """
UPDATE backlog SET status = 'claimed', claim_owner = 'w', claim_ttl_seconds = 900, claimed_at = now(),
    attempts = attempts + 1, updated_at = now()
WHERE id = (
    SELECT b.id FROM backlog AS b
    WHERE b.status = 'ready' AND NOT EXISTS (
        SELECT 1 FROM jsonb_array_elements_text(b.depends_on) AS dep
        WHERE dep NOT IN (SELECT d.id FROM backlog AS d WHERE d.status = 'done')
    )
    ORDER BY b.priority DESC, b.created_at FOR UPDATE SKIP LOCKED LIMIT 1
)
RETURNING *;
"""
_BACK = """
UPDATE {table} SET status = '{ready}', {cleared} WHERE id IN (
    SELECT id FROM {table} WHERE status = '{taken}' LIMIT 1000 FOR UPDATE SKIP LOCKED
);
"""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to claim. ``claim`` is None for a library, which has its own calls; ``tables`` for what it makes itself."""

    name: str
    database: str
    back: str
    fill: str
    table: str
    tables: str | None = None
    claim: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def _back(table: str, cleared: str, ready: str = "ready", taken: str = "claimed") -> str:
    return _BACK.format(table=table, ready=ready, taken=taken, cleared=cleared).strip()


_OUR_BACK = _back(
    "card",
    "claim_owner = NULL, claim_token = NULL, claim_ttl_seconds = NULL, claimed_at = NULL, claim_expires_at = NULL",
)
_OUR_VARIABLES = {
    "card_id": "",
    "owner": "worker-1",
    "token": "0123456789abcdef0123456789abcdef",
    "ttl_seconds": "900",
    "grace_seconds": "",
    "actor": "agent:east/worker-1",
    "via": "cli",
    "detail": '{"status": {"from": "ready", "to": "claimed"}, "claim_owner": {"from": null, "to": "worker-1"}}',
    "heeds_pause": "true",
}


def _our_claim() -> str:
    """Return our own statement in pgbench's words: ``$1`` becomes a variable, or NULL where nothing is said."""
    query = Queries.load("claims").claim_card

    def variable(found: re.Match[str]) -> str:
        name = query.arguments[int(found[1]) - 1]
        return f":{name}" if _OUR_VARIABLES[name] else "NULL"

    return re.sub(r"\$(\d+)", variable, query.sql).rstrip(";") + ";"


_OUR_FILL = f"""
INSERT INTO card (id, title, priority, status, unmet_deps, created_at, depends_on)
SELECT made.id, title, priority, status, unmet_deps, created_at, coalesce(needs.ids, '{{}}') FROM ({CARDS}) AS made
LEFT JOIN (SELECT id, array_agg(needs_id) AS ids FROM ({NEEDS}) AS edges GROUP BY id) AS needs ON needs.id = made.id;
INSERT INTO card_edge (card_id, needs_id) SELECT id, needs_id FROM ({NEEDS}) AS made ON CONFLICT DO NOTHING;
"""

FLOOR = Contender(
    "floor",
    "floor",
    _back("card", "claim_owner = NULL, claim_token = NULL, claimed_at = NULL"),
    f"INSERT INTO card SELECT id, title, priority, status, unmet_deps, created_at FROM ({CARDS}) AS made;",
    "card",
    _FLOOR_TABLES,
    _FLOOR_CLAIM.strip(),
)
OURS = Contender(
    "ours",
    "ours",
    _OUR_BACK,
    _OUR_FILL,
    "card",
    claim=_our_claim(),
    variables={name: value for name, value in _OUR_VARIABLES.items() if value},
)
REFERENCE = Contender(
    "reference",
    "reference",
    _back("backlog", "claim_owner = NULL, claim_ttl_seconds = NULL, claimed_at = NULL"),
    f"""
INSERT INTO backlog (id, title, priority, status, depends_on, created_at)
SELECT made.id, title, priority, status, coalesce(needs.ids, '[]'), created_at FROM ({CARDS}) AS made
LEFT JOIN (SELECT id, jsonb_agg(needs_id) AS ids FROM ({NEEDS}) AS edges GROUP BY id) AS needs ON needs.id = made.id;
""",
    "backlog",
    _REFERENCE_TABLES,
    _REFERENCE_CLAIM.strip(),
)
OURS_PYTHON = Contender("ours, by Python", "ours", _OUR_BACK, "", "card")
PROCRASTINATE = Contender(
    "procrastinate",
    "procrastinate",
    _back("procrastinate_jobs", "worker_id = NULL", "todo", "doing"),
    f"""
INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args, status, attempts)
SELECT 'default', 'task', priority, '{{}}',
    (CASE WHEN g % 100 < 38 THEN 'todo' ELSE 'succeeded' END)::procrastinate_job_status, 0
FROM ({CARDS}) AS made;
""",
    "procrastinate_jobs",
)
PGQUEUER = Contender(
    "pgqueuer",
    "pgqueuer",
    _back("pgqueuer", "heartbeat = now(), queue_manager_id = NULL", "queued", "picked"),
    f"""
INSERT INTO pgqueuer (priority, status, entrypoint, created, updated, heartbeat, execute_after)
SELECT priority, 'queued', CASE WHEN g % 100 < 38 THEN 'task' ELSE 'other' END, created_at, now(), now(), created_at
FROM ({CARDS}) AS made;
""",
    "pgqueuer",
)

BY_PGBENCH = (FLOOR, OURS, REFERENCE)
BY_PYTHON = (OURS_PYTHON, PROCRASTINATE, PGQUEUER)
