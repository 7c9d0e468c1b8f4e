-- What people ask of messages.

-- name: find_messages(prefix)
-- A range of the primary key instead of LIKE: what people type is no pattern. Two rows say "several".
SELECT * FROM message
WHERE id >= $1 AND id < $1::text || chr(1114111)
ORDER BY id LIMIT 2;

-- name: list_receipts(message_id)
-- In the order in which they were written, which is the order of the facts.
SELECT message_id, part, state, by_what, evidence, reason, stated_at FROM receipt
WHERE message_id = $1 ORDER BY id;

-- name: list_dead(count)
-- Served by an index of dead rows alone.
SELECT d.id, d.message_id, d.part, d.transaction_id, d.kind, d.to_kind, d.to_place, d.to_thread,
    d.body, d.html, d.reply_to, d.author, d.tag, d.queueing, d.replaces, d.files, d.blocks, d.buttons, d.attempts,
    (
        SELECT o.platform_id FROM delivery o WHERE o.message_id = d.replaces AND o.part = 0
    ) AS replaced_event,
    coalesce(d.first_tried_at, d.ended_at) AS first_tried_at, d.reason, NULL AS former_mark, NULL AS answers,
    EXISTS (
        SELECT FROM receipt r
        WHERE r.message_id = d.message_id AND r.part = d.part AND r.state = 'typed'
    ) AS typed
FROM delivery d WHERE d.state = 'dead'
ORDER BY d.ended_at DESC, d.id DESC LIMIT $1;

-- name: retry_dead(message_id)
-- Attempts start anew; the age of the transaction id stays, since the platform may still know it.
WITH revived AS (
    UPDATE delivery
    SET state = 'due', due_at = now(), attempts = 0, reason = NULL, ended_at = NULL, platform_id = NULL
    WHERE message_id = $1 AND state = 'dead'
    RETURNING message_id, part, carrier
), said AS (
    INSERT INTO receipt (message_id, part, state, evidence, reason)
    SELECT message_id, part, 'stored', '{}', 'put back in line' FROM revived
)
SELECT count(pg_notify('outbox', carrier)) FROM revived;

-- name: list_unanswered(carrier)
-- Over the few open mails, however many were ever sent.
SELECT m.*, u.state AS standing FROM unanswered u JOIN message m ON m.id = u.message_id
WHERE u.carrier = $1 ORDER BY m.stored_at, m.id;
