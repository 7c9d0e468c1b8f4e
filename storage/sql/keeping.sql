-- Putting away, taking back, and making sure that counters are right.

-- name: archive_card(card_id, archived)
-- On a done card that the caller holds.
UPDATE card SET archived_at = CASE WHEN $2::boolean THEN now() END, updated_at = now()
WHERE id = $1::text AND status = 'done'

-- name: archive_finished(age, row_limit)
-- Done cards that nobody touched for so long; what others hold is left for the next time.
UPDATE card SET archived_at = now()
WHERE id IN (
    SELECT id FROM card
    WHERE status = 'done' AND archived_at IS NULL AND updated_at < now() - $1::interval
    ORDER BY id
    LIMIT $2::bigint
    FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING id, archived_at

-- name: find_waiting(card_id)
-- Who depends on a card, done or not.
SELECT card_edge.card_id AS id FROM card_edge WHERE needs_id = $1 ORDER BY card_edge.card_id

-- name: delete_card(card_id)
-- With its own edges gone before it; keys and threads go with it, history stays.
WITH edges AS (DELETE FROM card_edge WHERE card_id = $1::text)
DELETE FROM card WHERE id = $1::text

-- name: hold_dependents(card_id)
-- Under hold_graph, in the order in which everybody locks several.
SELECT card.id, card.status FROM card
WHERE card.id IN (SELECT card_edge.card_id FROM card_edge WHERE needs_id = $1)
ORDER BY card.id
FOR NO KEY UPDATE

-- name: burden_dependents(card_id)
-- The opposite of release_dependents: the card that they wait for is not done any more.
UPDATE card SET unmet_deps = unmet_deps + 1
WHERE id IN (SELECT card_edge.card_id FROM card_edge WHERE needs_id = $1)

-- name: find_drift()
-- One snapshot sees whole transactions only, so a difference in it is a real one.
SELECT card.id, card.unmet_deps AS stored, coalesce(counted.unmet, 0) AS counted
FROM card
LEFT JOIN (
    SELECT card_edge.card_id AS id, count(*) FILTER (WHERE needed.status <> 'done') AS unmet,
        array_agg(card_edge.needs_id ORDER BY position) AS ids
    FROM card_edge JOIN card AS needed ON needed.id = card_edge.needs_id
    GROUP BY card_edge.card_id
) AS counted ON counted.id = card.id
WHERE card.unmet_deps <> coalesce(counted.unmet, 0) OR card.depends_on <> coalesce(counted.ids, '{}')
ORDER BY card.id

-- name: set_unmet(card_id)
-- Under hold_graph; tells nothing when the counter has become right meanwhile.
UPDATE card SET unmet_deps = counted.unmet, depends_on = counted.ids
FROM (
    SELECT count(*) FILTER (WHERE needed.status <> 'done') AS unmet,
        coalesce(array_agg(card_edge.needs_id ORDER BY position), '{}') AS ids
    FROM card_edge JOIN card AS needed ON needed.id = card_edge.needs_id
    WHERE card_edge.card_id = $1
) AS counted
WHERE card.id = $1 AND (card.unmet_deps <> counted.unmet OR card.depends_on <> counted.ids)
RETURNING card.id

-- name: old_transactions(age)
-- Whose snapshot keeps dead rows from being cleaned up: the longer it lasts, the dearer every claim becomes.
SELECT pid, application_name, usename AS user_name, state,
    extract(epoch FROM now() - xact_start)::float8 AS seconds
FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND xact_start < now() - $1::interval
ORDER BY xact_start

-- name: end_session(pid)
-- True when it was told to end.
SELECT pg_terminate_backend($1::integer)
