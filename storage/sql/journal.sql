-- The way in: events, and where each connector goes on reading.

-- name: accept_events(events, connector, position)
-- Events and position in one statement: either both are kept or neither. A repeated event is passed over.
-- With a position the disk is not waited for: what a crash of the server undoes is read again from the old one, and
-- beginning an event waits for all that was written before it.
WITH moved AS (
    INSERT INTO connector_position (connector, place)
    SELECT $2::text, $3::text
    WHERE $3::text IS NOT NULL AND set_config('synchronous_commit', 'off', true) = 'off'
    ON CONFLICT (connector) DO UPDATE SET place = EXCLUDED.place, moved_at = now()
)
INSERT INTO inbound (
    id, event_id, kind, source_kind, source_place, source_thread, sender_id, sender_name, body,
    sent_at, recovered, stands_on, attachments
)
SELECT
    e.id, e.event_id, e.kind, e.source_kind, e.source_place, e.source_thread, e.sender_id,
    e.sender_name, e.body, e.sent_at, e.recovered, e.stands_on, e.attachments
FROM jsonb_to_recordset($1::jsonb) AS e (
    number integer, id text, event_id text, kind text, source_kind text, source_place text,
    source_thread text, sender_id text, sender_name text, body text, sent_at timestamptz,
    recovered boolean, stands_on text, attachments jsonb
)
ORDER BY e.number
ON CONFLICT DO NOTHING
RETURNING id;

-- name: pending_events(count)
-- Served by an index of waiting rows alone.
SELECT event_id, kind, source_kind, source_place, source_thread, sender_id, sender_name, body, sent_at,
    recovered, stands_on, attachments
FROM inbound WHERE state = 'stored' ORDER BY seq LIMIT $1;

-- name: begin_event(id, token, wording)
-- True again for the same token: its first answer may have been lost with the connection.
UPDATE inbound SET state = 'running', begun_by = $2, begun_at = coalesce(begun_at, now()),
    wording = nullif($3::text, body)
WHERE id = $1 AND (state = 'stored' OR (state = 'running' AND begun_by = $2))
RETURNING true;

-- name: interrupted_events(token)
-- Served by an index of running rows alone. What was run may be an edit's words.
SELECT event_id, kind, source_kind, source_place, source_thread, sender_id, sender_name,
    coalesce(wording, body) AS body, sent_at, recovered, stands_on, attachments
FROM inbound WHERE state = 'running' AND begun_by <> $1 ORDER BY seq;

-- name: find_position(connector)
-- One row per connector.
SELECT place FROM connector_position WHERE connector = $1;

-- name: find_revisions(kind, place, event_id)
-- Served by an index of revisions alone. In the very place: a platform may let people name what stands elsewhere.
SELECT event_id, kind, source_kind, source_place, source_thread, sender_id, sender_name, body, sent_at,
    recovered, stands_on, attachments
FROM inbound r
WHERE source_kind = $1 AND source_place = $2 AND stands_on = $3 AND kind IN ('edit', 'redaction')
    AND NOT EXISTS (
        SELECT FROM inbound gone
        WHERE gone.source_kind = $1 AND gone.source_place = $2 AND gone.stands_on = r.event_id
            AND gone.kind = 'redaction'
    )
ORDER BY seq;

-- name: find_known(kind, event_ids)
-- By the platform's own ids.
SELECT event_id FROM inbound WHERE source_kind = $1 AND event_id = ANY($2::text[]);
