-- name: share_graph()
-- Taken by a completion before any row: edges stand still while it counts, other completions go on beside it.
SELECT pg_advisory_xact_lock_shared('card_edge'::regclass::oid::bigint)

-- name: hold_graph()
-- Taken before any row by whoever changes edges: no other change and no completion runs meanwhile, so a cycle check
-- stays true, a count stays right, and rows are never waited for in two orders.
SELECT pg_advisory_xact_lock('card_edge'::regclass::oid::bigint)

-- name: lock_dependencies(needs_ids)
-- The cards that are to be waited for; FOR SHARE, so that none of them becomes done before the count is written.
SELECT id FROM card WHERE id = ANY($1::text[]) ORDER BY id FOR SHARE

-- name: find_cycle(card_id, needs_ids)
-- The edges below the cards that are to be waited for, if they lead back to the card; UNION visits each once.
WITH RECURSIVE below (card_id, needs_id) AS (
    SELECT card_id, needs_id FROM card_edge WHERE card_id = ANY($2::text[])
    UNION
    SELECT card_edge.card_id, card_edge.needs_id FROM below JOIN card_edge ON card_edge.card_id = below.needs_id
)
SELECT card_id, needs_id FROM below
WHERE EXISTS (SELECT FROM below WHERE needs_id = $1)

-- name: add_edges(card_id, needs_ids)
-- In the order in which they were named.
INSERT INTO card_edge (card_id, needs_id)
SELECT $1, named.id FROM unnest($2::text[]) WITH ORDINALITY AS named (id, place) ORDER BY named.place

-- name: remove_edges(card_id, needs_ids)
-- Edges that are not there are no fault.
DELETE FROM card_edge WHERE card_id = $1 AND needs_id = ANY($2::text[])

-- name: count_unmet(card_id)
-- Right only under hold_graph: then nothing can become done between the count and the commit. The names are kept on the
-- card too, so that whoever reads or claims one need not look for its edges.
UPDATE card
SET depends_on = ARRAY(SELECT needs_id FROM card_edge WHERE card_edge.card_id = $1 ORDER BY position),
    unmet_deps = (
        SELECT count(*) FROM card_edge JOIN card AS needed ON needed.id = card_edge.needs_id
        WHERE card_edge.card_id = $1 AND needed.status <> 'done'
    ),
    updated_at = now()
WHERE id = $1
