-- Reminders: what people asked to be told at a time.

-- name: add_reminder(owner_id, owner_name, text, place_kind, place, thread, reply_to, rule, timezone, due_at, most)
-- Nothing is returned when the owner has too many. Two who ask at the same moment may pass it by one; nobody is harmed.
INSERT INTO reminder (owner_id, owner_name, text, place_kind, place, thread, reply_to, rule, timezone, next_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10
WHERE (SELECT count(*) FROM reminder WHERE owner_id = $1 AND next_at IS NOT NULL) < $11
RETURNING *;

-- name: find_waiting(owner_id)
-- Everybody's without an owner.
SELECT * FROM reminder
WHERE next_at IS NOT NULL AND ($1::text IS NULL OR owner_id = $1)
ORDER BY next_at, id;

-- name: cancel_reminder(id, owner_id)
-- The row stays, as history.
UPDATE reminder SET next_at = NULL, ended_at = clock_timestamp()
WHERE id = $1 AND next_at IS NOT NULL AND ($2::text IS NULL OR owner_id = $2)
RETURNING id;

-- name: find_next(row_limit)
-- By an index that holds waiting ones alone.
SELECT * FROM reminder WHERE next_at IS NOT NULL ORDER BY next_at, id LIMIT $1;

-- name: fire_reminder(id, was_due_at, due_at)
-- Counts only for the one who saw it due as it stands: of several daemons one fires it.
UPDATE reminder
SET next_at = $3, ended_at = CASE WHEN $3::timestamptz IS NULL THEN clock_timestamp() END
WHERE id = $1 AND next_at = $2
RETURNING id;
