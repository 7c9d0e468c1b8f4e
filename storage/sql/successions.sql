-- Places that took over from others.

-- name: note_succession(kind, old_place, new_place)
-- The first word counts: a room has one successor.
INSERT INTO succession (kind, old_place, new_place) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: list_successions(kind)
-- A handful of rows.
SELECT old_place, new_place FROM succession WHERE kind = $1;
