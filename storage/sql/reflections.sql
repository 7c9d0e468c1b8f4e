-- What is said in threads of cards that are talked about on several platforms, and what shows it elsewhere.

-- name: find_reading()
-- One row.
SELECT heard, said FROM mirror

-- name: heard_after(seq, row_limit)
-- Words are in a thread of their card; a mark or a revision is somewhere in a place, and what it stands on tells the rest.
-- Only what came after both threads were bound: before that each had its own conversation.
SELECT i.seq, i.stored_at, i.event_id, i.kind, i.source_kind, i.source_place, i.source_thread, i.sender_id,
    i.sender_name, i.body, i.sent_at, i.recovered, i.stands_on, i.attachments, elsewhere.others
FROM inbound AS i
LEFT JOIN card_thread AS t
    ON i.kind = 'text' AND t.connector = i.source_kind AND t.place = i.source_place
    AND t.thread = coalesce(i.source_thread, i.event_id)
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(o.connector, o.place, o.thread) ORDER BY o.connector) AS others
    FROM card_thread AS o
    WHERE o.card_id = t.card_id AND o.connector <> t.connector AND o.thread IS NOT NULL
        AND greatest(t.bound_at, o.bound_at) < i.stored_at
) AS elsewhere ON true
WHERE i.seq > $1 AND (
    elsewhere.others IS NOT NULL
    OR i.kind <> 'text' AND EXISTS (
        SELECT FROM card_thread AS p
        JOIN card_thread AS q ON q.card_id = p.card_id AND q.connector <> p.connector
        WHERE p.connector = i.source_kind AND p.place = i.source_place
            AND p.thread IS NOT NULL AND q.thread IS NOT NULL
    )
)
ORDER BY i.seq
LIMIT $2

-- name: said_after(id, row_limit)
-- What has no cause is told in every thread by itself, and what bears another tag than talk has is not for everybody's ears.
-- The first part stands for the message. Of mail to an agent the files of who wrote it count, in the thread that it is from,
-- unless one of them was taken back. Whose words were answered is told, since a refusal may repeat a stranger's.
SELECT d.id AS position, m.*, asked.sender_id AS asked_by_id, asked.sender_name AS asked_by_name, elsewhere.others, (
        SELECT jsonb_agg(
            jsonb_build_object(
                'mark', f.mark, 'line', f.line, 'says', f.says, 'chooser', f.chooser,
                'seconds', extract(epoch FROM f.lifetime)
            ) ORDER BY f.mark
        )
        FROM offer AS f WHERE f.message_id = m.id
    ) AS offers
FROM delivery AS d
JOIN message AS m ON m.id = d.message_id
LEFT JOIN inbound AS asked ON asked.id = m.cause
CROSS JOIN LATERAL (
    SELECT CASE d.kind WHEN 'mail' THEN m.origin_kind ELSE d.to_kind END AS kind,
        CASE d.kind WHEN 'mail' THEN m.origin_place ELSE d.to_place END AS place,
        CASE d.kind WHEN 'mail' THEN m.origin_thread ELSE d.to_thread END AS thread
) AS here
JOIN card_thread AS t ON t.connector = here.kind AND t.place = here.place AND t.thread = here.thread
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(o.connector, o.place, o.thread) ORDER BY o.connector) AS others
    FROM card_thread AS o
    WHERE o.card_id = t.card_id AND o.connector <> t.connector AND o.thread IS NOT NULL
        AND greatest(t.bound_at, o.bound_at) < m.stored_at
) AS elsewhere
WHERE d.id > $1 AND d.part = 0 AND d.tag = 'chat' AND m.cause IS NOT NULL AND elsewhere.others IS NOT NULL AND (
    d.kind IN ('reply', 'notice', 'answer', 'progress')
    OR d.kind = 'mail' AND m.files IS NOT NULL AND m.author !~ '^agent:' AND NOT EXISTS (
        SELECT FROM jsonb_array_elements(m.files) AS file
        JOIN upload AS u ON u.id = file ->> 'content'
        JOIN inbound AS gone ON gone.source_kind = u.source_kind AND gone.stands_on = u.event_id
        WHERE gone.kind = 'redaction'
    )
)
ORDER BY d.id
LIMIT $2

-- name: move_reading()
-- Numbers are given before they are committed, so a lower one may still appear: what counts as past is older than any
-- transaction here may live.
UPDATE mirror SET
    heard = greatest(heard, (
        SELECT seq FROM inbound WHERE stored_at < now() - interval '5 minutes' ORDER BY seq DESC LIMIT 1
    )),
    said = greatest(said, (
        SELECT d.id FROM delivery AS d JOIN message AS m ON m.id = d.message_id
        WHERE m.stored_at < now() - interval '5 minutes' ORDER BY d.id DESC LIMIT 1
    ))

-- name: find_utterance(kind, place, event_id)
-- A person's words, or a message of ours; what the mirror shows is known by what it shows. A platform may give an edit the
-- id of what it edits, therefore edits are left out.
WITH stands AS (
    SELECT i.id, i.source_kind AS kind, i.source_place AS place, coalesce(i.source_thread, i.event_id) AS thread,
        i.event_id, i.sender_id, i.sender_name, coalesce(i.source_thread, i.event_id) AS seen_in
    FROM inbound AS i
    WHERE i.source_kind = $1 AND i.source_place = $2 AND i.event_id = $3 AND i.kind = 'text'
    UNION ALL
    SELECT coalesce(heard.id, said.id, m.id), coalesce(heard.source_kind, said.to_kind, m.to_kind),
        coalesce(heard.source_place, said.to_place, m.to_place),
        coalesce(heard.source_thread, heard.event_id, said.to_thread, m.to_thread),
        heard.event_id, heard.sender_id, heard.sender_name, d.to_thread
    FROM delivery AS d
    JOIN message AS m ON m.id = d.message_id
    LEFT JOIN inbound AS heard ON m.tag = 'mirror' AND heard.id = m.cause
    LEFT JOIN message AS said ON m.tag = 'mirror' AND said.id = m.cause
    WHERE d.to_kind = $1 AND d.to_place = $2 AND d.platform_id = $3 AND d.to_thread IS NOT NULL
        AND d.kind <> 'reaction' AND m.replaces IS NULL
)
SELECT stands.*, elsewhere.others
FROM stands
JOIN card_thread AS t ON t.connector = $1 AND t.place = $2 AND t.thread = stands.seen_in
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(o.connector, o.place, o.thread) ORDER BY o.connector) AS others
    FROM card_thread AS o
    WHERE o.card_id = t.card_id AND o.connector <> t.connector AND o.thread IS NOT NULL
) AS elsewhere
WHERE elsewhere.others IS NOT NULL
LIMIT 1

-- name: find_mark(kind, place, event_id)
-- By the platform's own id.
SELECT event_id, kind, source_kind, source_place, source_thread, sender_id, sender_name, body, sent_at,
    recovered, stands_on, attachments
FROM inbound
WHERE source_kind = $1 AND source_place = $2 AND event_id = $3 AND kind = 'reaction'

-- name: list_markings(kind, place, event_id, mark)
-- Served by the indexes of marks and of revisions.
WITH put AS (
    SELECT seq, event_id, sender_id, sender_name FROM inbound
    WHERE source_kind = $1 AND source_place = $2 AND stands_on = $3 AND kind = 'reaction' AND body = $4
)
SELECT seq, event_id, sender_id, sender_name, NULL AS taken_back FROM put
UNION ALL
SELECT r.seq, r.event_id, r.sender_id, r.sender_name, r.stands_on
FROM put
JOIN inbound AS r ON r.source_kind = $1 AND r.stands_on = put.event_id
WHERE r.source_place = $2 AND r.kind = 'redaction'
ORDER BY seq

-- name: count_parts(message_id)
-- Marks below a message are deliveries of another kind.
SELECT count(*) FROM delivery AS d JOIN message AS m ON m.id = d.message_id
WHERE d.message_id = $1 AND d.kind = m.kind

-- name: find_shown(message_id)
-- By its unique parts.
SELECT platform_id FROM delivery WHERE message_id = $1 AND part = 0
