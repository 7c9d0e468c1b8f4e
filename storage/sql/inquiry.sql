-- What people ask of the backlog. These read much and lock nothing.

-- name: open_below(card_id)
-- Every card that is not done below a card, the direct ones first; UNION visits each once.
WITH RECURSIVE below (id) AS (
    SELECT needs_id FROM card_edge WHERE card_id = $1
    UNION
    SELECT card_edge.needs_id
    FROM below
    JOIN card AS waiting ON waiting.id = below.id AND waiting.status <> 'done'
    JOIN card_edge ON card_edge.card_id = below.id
)
SELECT card.*,
    direct.position AS direct_position
FROM below
JOIN card ON card.id = below.id
LEFT JOIN card_edge AS direct ON direct.card_id = $1 AND direct.needs_id = card.id
WHERE card.status <> 'done'
ORDER BY direct.position, card.id

-- name: count_ahead(priority, created_at, card_id)
-- How many claimable cards a claim would take first.
SELECT count(*) FROM card
WHERE status = 'ready' AND unmet_deps = 0
    AND (priority > $1 OR (priority = $1 AND (created_at, id) < ($2::timestamptz, $3::text)))

-- name: last_move(card_id)
-- When a card came to stand where it stands, and by whom.
SELECT at, actor FROM card_event WHERE card_id = $1 AND detail ? 'status' ORDER BY id DESC LIMIT 1

-- name: search_cards(words, row_limit)
-- Cards that hold every word, in small letters already; it reads them all, since an index of words would make every
-- edit dearer. An id that is or begins with the first word comes first, then titles, then bodies.
SELECT card.*
FROM card
WHERE NOT EXISTS (
    SELECT FROM unnest($1::text[]) AS word
    WHERE position(word IN lower(card.id || ' ' || card.title || ' ' || card.body)) = 0
)
ORDER BY
    lower(card.id) = ($1::text[])[1] DESC,
    starts_with(lower(card.id), ($1::text[])[1]) DESC,
    position(($1::text[])[1] IN lower(card.title)) > 0 DESC,
    archived_at IS NULL DESC, status = 'done', priority DESC, created_at, id
LIMIT $2::bigint

-- name: blocked_chains(row_limit)
-- How many open cards wait behind each blocked card, directly or not; the oldest thousand blocked ones are looked at.
WITH RECURSIVE blocked AS (
    SELECT id FROM card WHERE status = 'blocked' ORDER BY updated_at LIMIT 1000
), behind (root, id) AS (
    SELECT blocked.id, card_edge.card_id FROM blocked JOIN card_edge ON card_edge.needs_id = blocked.id
    UNION
    SELECT behind.root, card_edge.card_id FROM behind JOIN card_edge ON card_edge.needs_id = behind.id
)
SELECT behind.root AS id, count(*) AS waiting
FROM behind JOIN card ON card.id = behind.id AND card.status <> 'done'
GROUP BY behind.root
ORDER BY waiting DESC, id
LIMIT $1::bigint

-- name: oldest_ready()
-- The claimable card that has waited longest, whatever its priority.
SELECT id FROM card WHERE status = 'ready' AND unmet_deps = 0 ORDER BY created_at, id LIMIT 1
