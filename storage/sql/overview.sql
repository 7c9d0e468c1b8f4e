-- The backlog seen from above. These read much and lock nothing.

-- name: lanes(by_phase, per_lane)
-- The first cards of every lane with its count, in one pass over all cards; finished ones come last, the newest first.
WITH ranked AS (
    SELECT id, lane,
        count(*) OVER (PARTITION BY lane) AS lane_total,
        row_number() OVER (
            PARTITION BY lane
            ORDER BY status = 'done', CASE status WHEN 'done' THEN updated_at END DESC, priority DESC, created_at, id
        ) AS place
    FROM (
        SELECT *, CASE
            WHEN $1::boolean THEN coalesce(phase, '')
            WHEN status = 'ready' AND unmet_deps > 0 THEN 'waiting'
            ELSE status
        END AS lane
        FROM card
        WHERE archived_at IS NULL
    ) AS placed
)
SELECT card.*, ranked.lane, ranked.lane_total,
    ARRAY(
        SELECT needs_id FROM card_edge JOIN card AS needed ON needed.id = card_edge.needs_id
        WHERE card_edge.card_id = card.id AND needed.status <> 'done' ORDER BY position
    ) AS waits_for,
    ARRAY(
        SELECT needs_id FROM card_edge JOIN card AS needed ON needed.id = card_edge.needs_id
        WHERE card_edge.card_id = card.id AND needed.status = 'blocked' ORDER BY position
    ) AS blocked_by
FROM ranked JOIN card ON card.id = ranked.id
WHERE ranked.place <= $2
ORDER BY ranked.lane, ranked.place

-- name: near(card_id, depth)
-- What a card waits for and what waits for it, up to so many steps away; UNION visits each card once a step.
WITH RECURSIVE below (id, steps) AS (
    SELECT $1::text COLLATE "C", 0
    UNION
    SELECT card_edge.needs_id, below.steps + 1 FROM below JOIN card_edge ON card_edge.card_id = below.id
    WHERE below.steps < $2
), above (id, steps) AS (
    SELECT $1::text COLLATE "C", 0
    UNION
    SELECT card_edge.card_id, above.steps + 1 FROM above JOIN card_edge ON card_edge.needs_id = above.id
    WHERE above.steps < $2
)
SELECT id, min(steps) AS steps FROM (SELECT * FROM below UNION ALL SELECT * FROM above) AS found
GROUP BY id
ORDER BY steps, id

-- name: find_cards(ids)
-- In the order in which they are asked for.
SELECT card.*
FROM unnest($1::text[]) WITH ORDINALITY AS asked (id, place) JOIN card ON card.id = asked.id
ORDER BY asked.place

-- name: first_cards(row_limit)
-- Open cards before finished ones; the count tells how many there are in all.
SELECT card.*, count(*) OVER () AS total
FROM card
WHERE archived_at IS NULL
ORDER BY status = 'done', priority DESC, created_at, id
LIMIT $1
