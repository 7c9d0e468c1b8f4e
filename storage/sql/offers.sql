-- What messages offer, and what was chosen.

-- name: find_offer(kind, place, event_id, mark)
-- By the platform's id of any part, in the very place: a platform may let people mark what stands elsewhere.
SELECT o.message_id, m.to_kind, m.to_place, m.to_thread, o.mark, o.line, o.says, o.lifetime, o.chooser,
    o.stored_at + o.lifetime <= now() AS expired,
    EXISTS (SELECT FROM choice c WHERE c.message_id = o.message_id) AS taken
FROM delivery d
JOIN offer o ON o.message_id = d.message_id AND o.mark = $4
JOIN message m ON m.id = o.message_id
WHERE d.offers AND d.platform_id = $3 AND d.to_kind = $1 AND d.to_place = $2
LIMIT 1;

-- name: take_offer(message_id, mark, event_id, principal_id)
-- The primary key decides between two who choose at once; true again for the same event, whose answer may be lost.
WITH first AS (
    INSERT INTO choice (message_id, mark, event_id, principal_id)
    SELECT message_id, mark, $3::text, $4::text FROM offer
    WHERE message_id = $1 AND mark = $2 AND stored_at + lifetime > now()
    ON CONFLICT (message_id) DO NOTHING
    RETURNING event_id
)
SELECT EXISTS (SELECT FROM first)
    OR EXISTS (SELECT FROM choice WHERE message_id = $1 AND event_id = $3);
