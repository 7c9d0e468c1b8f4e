-- name: find_card(card_id)
-- A card with what it depends on, as every face shows it.
SELECT card.*
FROM card
WHERE id = $1

-- name: lock_card(card_id)
-- The same, held until the transaction ends. Not FOR UPDATE: nobody changes an id, so edges to it may still be added.
SELECT card.*
FROM card
WHERE id = $1
FOR NO KEY UPDATE OF card

-- name: insert_card(card_id, title, body, phase, priority, idempotency_key, acceptance, agent_class, agent, host)
-- Tells a taken id by returning nothing, which leaves the transaction usable.
INSERT INTO card (id, title, body, phase, priority, idempotency_key, acceptance, agent_class, agent, host)
VALUES (
    $1::text, $2::text, $3::text, $4::text, $5::integer, $6::text, $7::jsonb, $8::text, $9::text, $10::text
)
ON CONFLICT (id) DO NOTHING
RETURNING id

-- name: write_card(card_id, title, body, phase, priority, idempotency_key, acceptance, agent_class, agent, host)
-- All that an edit may change, on a row that the caller holds.
UPDATE card
SET title = $2::text, body = $3::text, phase = $4::text, priority = $5::integer, idempotency_key = $6::text,
    acceptance = $7::jsonb, agent_class = $8::text, agent = $9::text, host = $10::text, updated_at = now()
WHERE id = $1::text

-- name: move_cards(ids, status, block_reason)
-- On rows that the caller holds, to any status but claimed. The only place where a claim is cleared.
UPDATE card
SET status = $2::text, block_reason = $3::text, claim_owner = NULL, claim_token = NULL, claim_ttl_seconds = NULL,
    claimed_at = NULL, claim_expires_at = NULL, archived_at = NULL, updated_at = now()
WHERE id = ANY($1::text[])

-- name: take_key(key, card_id)
-- Waits for another transaction that is taking the same key, then returns nothing if that one has it.
INSERT INTO card_key (key, card_id) VALUES ($1, $2)
ON CONFLICT (key) DO NOTHING
RETURNING card_id

-- name: find_key(key)
-- Whose key it is.
SELECT card_id FROM card_key WHERE key = $1

-- name: note_event(card_id, actor, via, action, detail)
-- One line of history, in the transaction of the change that it tells of.
INSERT INTO card_event (card_id, actor, via, action, detail) VALUES ($1, $2, $3, $4, $5)

-- name: note_events(ids, details, actor, via, action)
-- The same for many cards that one change touches, in the order given.
INSERT INTO card_event (card_id, actor, via, action, detail)
SELECT card_id, $3::text, $4::text, $5::text, detail
FROM unnest($1::text[], $2::jsonb[]) WITH ORDINALITY AS said (card_id, detail, place)
ORDER BY place

-- name: find_events(card_id)
-- A card's history, oldest first.
SELECT at, actor, via, action, detail FROM card_event WHERE card_id = $1 ORDER BY id

-- name: list_cards(status, phase, agent_class, agent, host, owner, archived, after_priority, after_created_at, after_id, row_limit)
-- Any cards; it reads and sorts them all, since an index for it would make every claim dearer.
SELECT card.*
FROM card
WHERE ($1::text IS NULL OR status = $1)
    AND ($2::text IS NULL OR phase = $2)
    AND ($3::text IS NULL OR agent_class = $3)
    AND ($4::text IS NULL OR agent = $4)
    AND ($5::text IS NULL OR host = $5)
    AND ($6::text IS NULL OR claim_owner = $6)
    AND ($7::boolean = (archived_at IS NOT NULL))
    AND ($8::integer IS NULL OR priority < $8 OR (priority = $8 AND (created_at, id) > ($9::timestamptz, $10::text)))
ORDER BY priority DESC, created_at, id
LIMIT $11::bigint

-- name: list_claimable(phase, agent_class, agent, host, row_limit)
-- The first page of what can be claimed: it walks the partial index and stops. A filter is written so that the planner
-- takes it for a wide one; by an OR it would expect few rows, and sort them all.
SELECT card.*
FROM card
WHERE status = 'ready' AND unmet_deps = 0 AND coalesce(phase = $1, $1::text IS NULL)
    AND coalesce(agent_class = $2, $2::text IS NULL) AND coalesce(agent = $3, $3::text IS NULL)
    AND coalesce(host = $4, $4::text IS NULL)
ORDER BY priority DESC, created_at, id
LIMIT $5::bigint

-- name: list_claimable_after(phase, agent_class, agent, host, after_priority, after_created_at, after_id, row_limit)
-- A later page. Two ranges of the partial index, since one comparison cannot follow its mixed order.
SELECT page.*
FROM (
    (
        SELECT * FROM card
        WHERE status = 'ready' AND unmet_deps = 0 AND coalesce(phase = $1, $1::text IS NULL)
            AND coalesce(agent_class = $2, $2::text IS NULL) AND coalesce(agent = $3, $3::text IS NULL)
            AND coalesce(host = $4, $4::text IS NULL)
            AND priority = $5 AND (created_at, id) > ($6, $7)
        ORDER BY created_at, id
        LIMIT $8::bigint
    )
    UNION ALL
    (
        SELECT * FROM card
        WHERE status = 'ready' AND unmet_deps = 0 AND coalesce(phase = $1, $1::text IS NULL)
            AND coalesce(agent_class = $2, $2::text IS NULL) AND coalesce(agent = $3, $3::text IS NULL)
            AND coalesce(host = $4, $4::text IS NULL)
            AND priority < $5
        ORDER BY priority DESC, created_at, id
        LIMIT $8::bigint
    )
) AS page
ORDER BY priority DESC, created_at, id
LIMIT $8::bigint

-- name: count_cards()
-- The backlog in numbers, in one pass.
SELECT
    count(*) FILTER (WHERE status = 'ready') AS ready,
    count(*) FILTER (WHERE status = 'claimed') AS claimed,
    count(*) FILTER (WHERE status = 'blocked') AS blocked,
    count(*) FILTER (WHERE status = 'done') AS done,
    count(*) AS total,
    extract(epoch FROM now() - min(created_at) FILTER (WHERE status = 'ready' AND unmet_deps = 0))::float8
        AS oldest_ready_age_seconds,
    count(*) FILTER (WHERE status = 'claimed' AND claim_expires_at <= now()) AS expired_claim_count
FROM card
WHERE archived_at IS NULL
