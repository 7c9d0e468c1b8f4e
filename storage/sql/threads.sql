-- The threads of cards, and what is news there.

-- name: bind_thread(card_id, connector, place, thread)
-- Nothing is returned when the card has a thread there, or the thread a card: whoever came first keeps it.
INSERT INTO card_thread (card_id, connector, place, thread) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
RETURNING card_id

-- name: is_bound(card_id, connector, place, thread)
-- Tells a repeated binding from one that is refused.
SELECT true FROM card_thread
WHERE card_id = $1 AND connector = $2 AND place = $3 AND thread IS NOT DISTINCT FROM $4

-- name: find_threads(card_id)
-- One a platform.
SELECT connector, place, thread FROM card_thread WHERE card_id = $1 ORDER BY connector

-- name: find_card_in(connector, place, thread)
-- A thread has at most one card.
SELECT card_id FROM card_thread WHERE connector = $1 AND place = $2 AND thread = $3

-- name: find_holder_in(connector, place, thread)
-- Only a claimed card has an owner.
SELECT card.claim_owner
FROM card_thread AS t
JOIN card ON card.id = t.card_id
WHERE t.connector = $1 AND t.place = $2 AND t.thread = $3

-- name: find_thread_of_dispatch(message_id)
-- The prompt and the question are each one dispatch's; of a card's threads the first by platform, as everywhere.
SELECT t.connector, t.place, t.thread
FROM dispatch AS d
JOIN card_thread AS t ON t.card_id = d.card_id
WHERE d.message_id = $1 OR d.ask_id = $1
ORDER BY t.connector
LIMIT 1

-- name: find_opening(message_id)
-- By its unique parts.
SELECT platform_id FROM delivery WHERE message_id = $1 AND part = 0

-- name: news_after(event_id, row_limit)
-- Changes of a status since the thread was bound, but for those that the actor asked for in that very thread: a message
-- of theirs there was being handled at that moment. A room's messages are handled one after another.
SELECT e.id, e.card_id, e.at, e.actor, e.via, e.action, e.detail, card.title, t.connector, t.place, t.thread
FROM card_event AS e
JOIN card_thread AS t ON t.card_id = e.card_id
JOIN card ON card.id = e.card_id
WHERE e.id > $1 AND e.detail ? 'status' AND e.at > t.bound_at
    AND NOT EXISTS (
        SELECT FROM inbound
        WHERE inbound.sender_id = e.actor AND inbound.source_kind = t.connector AND inbound.source_place = t.place
            AND (inbound.source_thread IS NOT DISTINCT FROM t.thread OR inbound.event_id = t.thread)
            AND inbound.begun_at BETWEEN e.at - interval '1 day' AND e.at
            AND coalesce(inbound.ended_at, 'infinity') >= e.at
    )
ORDER BY e.id, t.connector
LIMIT $2

-- name: find_news_position()
-- One row.
SELECT event_id FROM card_news

-- name: move_news_position()
-- Ids are given before they are committed, so a lower one may still appear: a line counts as past when it is older than
-- any transaction here may live.
UPDATE card_news SET event_id = past.id
FROM (
    SELECT id FROM card_event WHERE at < now() - interval '5 minutes' ORDER BY id DESC LIMIT 1
) AS past
WHERE card_news.event_id < past.id
