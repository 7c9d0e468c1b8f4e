-- Cards in bulk. Everything here runs under hold_graph; keys are taken before rows, as by a create or an edit.

-- name: take_keys(keys, card_ids)
-- Returns the ones that were free; each that is just being taken by another is waited for.
INSERT INTO card_key (key, card_id)
SELECT key, card_id FROM unnest($1::text[], $2::text[]) AS said (key, card_id) ORDER BY key
ON CONFLICT (key) DO NOTHING
RETURNING key

-- name: find_keys(keys)
-- Whose keys they are.
SELECT key, card_id FROM card_key WHERE key = ANY($1::text[])

-- name: lock_cards(ids)
-- In the order of their ids, like everybody who locks several.
SELECT card.*
FROM card
WHERE id = ANY($1::text[])
ORDER BY id
FOR NO KEY UPDATE OF card

-- name: find_ids(ids)
-- Which of them are there.
SELECT id FROM card WHERE id = ANY($1::text[])

-- name: find_edges_below(ids)
-- Every edge below the cards; UNION visits each once.
WITH RECURSIVE below (card_id, needs_id) AS (
    SELECT card_id, needs_id FROM card_edge WHERE card_id = ANY($1::text[])
    UNION
    SELECT card_edge.card_id, card_edge.needs_id FROM below JOIN card_edge ON card_edge.card_id = below.needs_id
)
SELECT card_id, needs_id FROM below

-- name: insert_cards(ids, titles, bodies, phases, priorities, statuses, reasons, keys, acceptances, classes, agents, hosts)
-- In one statement; a microsecond apart, so that the file's order is the order of their age. Taken ids are not returned.
INSERT INTO card (
    id, title, body, phase, priority, status, block_reason, idempotency_key, acceptance, agent_class, agent, host,
    created_at
)
SELECT id, title, body, phase, priority, status, reason, key, acceptance::jsonb, agent_class, agent, host,
    now() + place * interval '1 microsecond'
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::text[], $12::text[]
) WITH ORDINALITY AS said (
    id, title, body, phase, priority, status, reason, key, acceptance, agent_class, agent, host, place
)
ON CONFLICT (id) DO NOTHING
RETURNING id

-- name: insert_edges(card_ids, needs_ids)
-- In the order in which the file names them.
INSERT INTO card_edge (card_id, needs_id)
SELECT card_id, needs_id FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS said (card_id, needs_id, place)
ORDER BY place

-- name: delete_edges(card_ids, needs_ids)
-- Edges that changed cards have no more.
DELETE FROM card_edge
USING unnest($1::text[], $2::text[]) AS said (card_id, needs_id)
WHERE card_edge.card_id = said.card_id AND card_edge.needs_id = said.needs_id

-- name: count_unmet_of(ids)
-- Right only under hold_graph, for all cards whose edges are new, at once.
UPDATE card
SET unmet_deps = counted.unmet, depends_on = counted.ids
FROM (
    SELECT named.id, count(needed.id) FILTER (WHERE needed.status <> 'done') AS unmet,
        coalesce(array_agg(card_edge.needs_id ORDER BY position) FILTER (WHERE needed.id IS NOT NULL), '{}') AS ids
    FROM unnest($1::text[]) AS named (id)
    LEFT JOIN card_edge ON card_edge.card_id = named.id
    LEFT JOIN card AS needed ON needed.id = card_edge.needs_id
    GROUP BY named.id
) AS counted
WHERE card.id = counted.id AND (card.unmet_deps <> counted.unmet OR card.depends_on <> counted.ids)

-- name: export_cards()
-- Oldest first: a file that is brought in again ages its cards in its own order.
SELECT card.*
FROM card
ORDER BY created_at, id
