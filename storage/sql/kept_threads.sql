-- Threads that we make for cards, and which of them are to be looked at.

-- name: open_position(connector)
-- The first look begins at the end of history: a backlog that was there before does not get a thread for each card.
INSERT INTO card_thread_position (connector, event_id)
SELECT $1, coalesce(max(id), 0) FROM card_event
ON CONFLICT DO NOTHING

-- name: cards_without_thread(connector, at_creation, most)
-- Claimed cards by their partial index, created ones by the lines of history since the position: neither costs more in a
-- large backlog. What is in the making takes up room for an hour, so that a platform which refuses all is not asked for
-- ever more, and one bad card does not stop the others.
WITH bare AS (
    SELECT id FROM card WHERE status = 'claimed'
    UNION
    SELECT e.card_id
    FROM card_event AS e
    JOIN card_thread_position AS p ON p.connector = $1 AND e.id > p.event_id
    WHERE $2::boolean AND e.action = 'create'
)
SELECT card.*
FROM card
JOIN bare ON bare.id = card.id
WHERE card.status <> 'done' AND card.archived_at IS NULL
    AND NOT EXISTS (SELECT FROM card_thread AS t WHERE t.card_id = card.id AND t.connector = $1)
    AND NOT EXISTS (
        SELECT FROM kept_thread AS k
        WHERE k.card_id = card.id AND k.card_made_at = card.created_at AND k.connector = $1
    )
ORDER BY card.status = 'claimed' DESC, card.priority DESC, card.created_at, card.id
LIMIT greatest(0, $3::bigint - (
    SELECT count(*) FROM kept_thread
    WHERE connector = $1 AND thread IS NULL AND begun_at > now() - interval '1 hour'
))

-- name: begin_thread(message_id, card_id, card_made_at, connector, place)
-- Before the opening is stored; of two daemons the first one counts.
INSERT INTO kept_thread (message_id, card_id, card_made_at, connector, place) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING

-- name: threads_due(connector, most)
-- What asked to be looked at, and what belongs to a card that history speaks of and that is another one since. Two
-- changes of a card can be dated in the wrong order, so any other date counts as a change. Each half has its index: threads of
-- cards that were done long ago cost nothing.
WITH due AS (
    SELECT message_id FROM kept_thread WHERE again_at <= now()
    UNION
    SELECT k.message_id
    FROM card_thread_position AS p
    JOIN card_event AS e ON e.id > p.event_id
    JOIN kept_thread AS k ON k.card_id = e.card_id
    LEFT JOIN card ON card.id = k.card_id AND card.created_at = k.card_made_at
    WHERE p.connector = $1 AND card.updated_at IS DISTINCT FROM k.seen_at
)
SELECT k.card_id AS of_card, k.place, k.thread, k.message_id, k.begun_at, k.wording, k.edited_at,
    k.shown_title, k.shown_status, k.shown_archived, card.*
FROM due
JOIN kept_thread AS k ON k.message_id = due.message_id
LEFT JOIN card ON card.id = k.card_id AND card.created_at = k.card_made_at
WHERE k.connector = $1
ORDER BY k.again_at, k.message_id
LIMIT $2::bigint

-- name: keep_thread(message_id, thread, wording, edited_at, shown_title, shown_status, shown_archived, seen_at, again)
-- How it is, and when it is to be looked at next.
UPDATE kept_thread
SET thread = $2, wording = $3, edited_at = $4, shown_title = $5, shown_status = $6, shown_archived = $7,
    seen_at = $8, again_at = now() + $9::interval
WHERE message_id = $1

-- name: forget_thread(message_id)
-- One that is not there is no matter.
DELETE FROM kept_thread WHERE message_id = $1

-- name: move_position(connector, at_creation)
-- Ids are given before they are committed: a line counts as past when it is older than any transaction here may live.
UPDATE card_thread_position AS p SET event_id = past.id
FROM (
    SELECT least(
        (SELECT id FROM card_event WHERE at < now() - interval '5 minutes' ORDER BY id DESC LIMIT 1),
        (
            SELECT e.id - 1
            FROM card_event AS e
            JOIN card_thread_position AS own ON own.connector = $1 AND e.id > own.event_id
            JOIN card ON card.id = e.card_id
            WHERE $2::boolean AND e.action = 'create' AND card.status <> 'done' AND card.archived_at IS NULL
                AND NOT EXISTS (SELECT FROM card_thread AS t WHERE t.card_id = card.id AND t.connector = $1)
                AND NOT EXISTS (
                    SELECT FROM kept_thread AS k
                    WHERE k.card_id = card.id AND k.card_made_at = card.created_at AND k.connector = $1
                )
            ORDER BY e.id
            LIMIT 1
        )
    ) AS id
) AS past
WHERE p.connector = $1 AND p.event_id < past.id
