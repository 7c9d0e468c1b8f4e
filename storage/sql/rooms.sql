-- Rooms with a role, and placards.

-- name: list_rooms()
-- A handful of rows.
SELECT connector, place, role, project FROM room
ORDER BY connector, array_position(ARRAY['space', 'ops', 'mail', 'project'], role), project;

-- name: forget_purpose(connector, place, role, project)
-- Before a room is kept: whoever else had its purpose has it no more.
DELETE FROM room WHERE connector = $1 AND role = $3 AND project = $4 AND place <> $2;

-- name: keep_room(connector, place, role, project)
-- A room has one purpose.
INSERT INTO room (connector, place, role, project) VALUES ($1, $2, $3, $4)
ON CONFLICT (connector, place) DO UPDATE
SET role = EXCLUDED.role, project = EXCLUDED.project, kept_at = now();

-- name: forget_room(connector, place)
-- One that is not there is no matter.
DELETE FROM room WHERE connector = $1 AND place = $2;

-- name: find_placard(connector, place)
-- With the platform's id of the message, once it is shown, and whether it was given up.
SELECT p.message_id, p.former_event, p.shown, p.shown_at, p.pin, d.platform_id AS event_id,
    m.id IS NOT NULL AS stored, coalesce(d.state = 'dead', false) AS dead
FROM placard p
LEFT JOIN message m ON m.id = p.message_id
LEFT JOIN delivery d ON d.message_id = p.message_id AND d.part = 0
WHERE p.connector = $1 AND p.place = $2;

-- name: begin_placard(connector, place, message_id, former_message, former_event)
-- Takes the place of that former one only: of two daemons that found it gone, the second changes nothing.
INSERT INTO placard (connector, place, message_id, former_event) VALUES ($1, $2, $3, $5)
ON CONFLICT (connector, place) DO UPDATE
SET message_id = EXCLUDED.message_id, former_event = EXCLUDED.former_event, shown = '', shown_at = NULL,
    pin = 'due'
WHERE placard.message_id = $4;

-- name: note_shown(connector, place, shown)
-- What the message says now.
UPDATE placard SET shown = $3, shown_at = now() WHERE connector = $1 AND place = $2;

-- name: note_pin(connector, place, pin)
-- Whether it is pinned.
UPDATE placard SET pin = $3 WHERE connector = $1 AND place = $2;
