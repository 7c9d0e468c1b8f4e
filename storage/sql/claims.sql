-- name: claim_card(card_id, owner, token, ttl_seconds, actor, via)
-- The best card, or the named one when an id is given: two plain reads, since an OR would lose the partial index.
-- The best one skips rows that others hold; a named one is waited for. The only place where a claim is set.
WITH best AS (
    SELECT id FROM card
    WHERE $1::text IS NULL AND status = 'ready' AND unmet_deps = 0
    ORDER BY priority DESC, created_at, id
    LIMIT 1
    FOR NO KEY UPDATE SKIP LOCKED
), named AS (
    SELECT id FROM card
    WHERE id = $1 AND status = 'ready' AND unmet_deps = 0
    FOR NO KEY UPDATE
), taken AS (
    UPDATE card
    SET status = 'claimed', claim_owner = $2, claim_token = $3, claim_ttl_seconds = $4::integer, claimed_at = now(),
        claim_expires_at = now() + make_interval(secs => $4::integer), attempts = attempts + 1, updated_at = now()
    FROM (SELECT id FROM best UNION ALL SELECT id FROM named) AS chosen
    WHERE card.id = chosen.id
    RETURNING card.*
), noted AS (
    INSERT INTO card_event (card_id, actor, via, action, detail)
    SELECT id, $5, $6, 'claim', jsonb_build_object(
        'status', jsonb_build_object('from', 'ready', 'to', 'claimed'),
        'claim_owner', jsonb_build_object('from', NULL, 'to', claim_owner),
        'claim_ttl_seconds', jsonb_build_object('from', NULL, 'to', claim_ttl_seconds),
        'attempts', jsonb_build_object('from', attempts - 1, 'to', attempts)
    )
    FROM taken
)
SELECT taken.*,
    ARRAY(SELECT needs_id FROM card_edge WHERE card_edge.card_id = taken.id ORDER BY position) AS depends_on
FROM taken

-- name: find_claimable()
-- The best card, held by somebody or not: tells an empty backlog from one whose cards are all being looked at.
SELECT id FROM card
WHERE status = 'ready' AND unmet_deps = 0
ORDER BY priority DESC, created_at, id
LIMIT 1

-- name: reclaim_expired(actor, via)
-- Skips what others hold, so it never waits: whoever is renewing or completing a claim right now keeps it.
WITH expired AS (
    SELECT id, claim_owner, claim_ttl_seconds FROM card
    WHERE status = 'claimed' AND claim_expires_at <= now()
    ORDER BY id
    FOR NO KEY UPDATE SKIP LOCKED
), freed AS (
    UPDATE card
    SET status = 'ready', updated_at = now()
    FROM expired
    WHERE card.id = expired.id
    RETURNING card.id, expired.claim_owner, expired.claim_ttl_seconds
), noted AS (
    INSERT INTO card_event (card_id, actor, via, action, detail)
    SELECT id, $1, $2, 'reclaim', jsonb_build_object(
        'status', jsonb_build_object('from', 'claimed', 'to', 'ready'),
        'claim_owner', jsonb_build_object('from', claim_owner, 'to', NULL),
        'claim_ttl_seconds', jsonb_build_object('from', claim_ttl_seconds, 'to', NULL)
    )
    FROM freed
)
SELECT id FROM freed ORDER BY id

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
