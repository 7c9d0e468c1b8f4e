-- name: claim_card(card_id, owner, token, ttl_seconds, grace_seconds, actor, via, detail, heeds_pause)
-- The best card, or the named one when an id is given. The best one skips rows that others hold, reading the partial
-- index in order until it finds a free one; a named one is waited for. Claims are set here and in assign_card alone, so
-- that a pause must stop nothing else: all of them stop whoever heeds them, a freeze stops everybody.
WITH taken AS (
    UPDATE card
    SET status = 'claimed', claim_owner = $2::text, claim_token = $3::text, claim_ttl_seconds = $4::integer,
        claimed_at = now(), claim_expires_at = now() + make_interval(secs => least($4::integer, $5::integer)),
        attempts = attempts + 1, updated_at = now()
    WHERE status = 'ready' AND unmet_deps = 0 AND id = CASE WHEN $1::text IS NOT NULL THEN $1::text ELSE (
        SELECT id FROM card
        WHERE status = 'ready' AND unmet_deps = 0
        ORDER BY priority DESC, created_at, id
        LIMIT 1
        FOR NO KEY UPDATE SKIP LOCKED
    ) END AND NOT EXISTS (SELECT FROM pause WHERE lifted_at IS NULL AND (is_freeze OR $9::boolean))
    RETURNING card.*
), noted AS (
    INSERT INTO card_event (card_id, actor, via, action, detail)
    SELECT id, $6::text, $7::text, 'claim', $8::jsonb FROM taken
)
SELECT * FROM taken

-- name: find_claimable(heeds_pause)
-- The best card, held by somebody or not: tells an empty backlog from one whose cards are all being looked at. While a
-- pause stands there is none for whoever heeds it.
SELECT id FROM card
WHERE status = 'ready' AND unmet_deps = 0
    AND NOT EXISTS (SELECT FROM pause WHERE lifted_at IS NULL AND (is_freeze OR $1::boolean))
ORDER BY priority DESC, created_at, id
LIMIT 1

-- name: hold_expired()
-- Skips what others hold, so it never waits: whoever is renewing or completing a claim right now keeps it.
SELECT id, claim_owner, claim_ttl_seconds FROM card
WHERE status = 'claimed' AND claim_expires_at <= now()
ORDER BY id
FOR NO KEY UPDATE SKIP LOCKED

-- name: extend_claim(card_id, ttl_seconds)
-- On a row that the caller holds: the time runs anew from now.
UPDATE card
SET claim_ttl_seconds = $2::integer, claimed_at = now(), claim_expires_at = now() + make_interval(secs => $2::integer), updated_at = now()
WHERE id = $1

-- name: release_dependents(card_id)
-- The second statement of a completion: its snapshot is younger than the lock on the done card, so it sees every edge.
-- Ordered locks, because two completions often share dependents.
WITH dependent AS (
    SELECT card.id FROM card
    JOIN card_edge ON card_edge.card_id = card.id
    WHERE card_edge.needs_id = $1
    ORDER BY card.id
    FOR NO KEY UPDATE OF card
)
UPDATE card SET unmet_deps = unmet_deps - 1
FROM dependent
WHERE card.id = dependent.id
