-- The way out: messages, their deliveries, their receipts.

-- name: store_letters(letters, event_id, outcome)
-- One statement, so that a message never stands without its deliveries, nor an event's end without its
-- answer; a repeated id changes nothing. An edit that waits is given up for a newer one of the same message. With an event
-- the letters are stored only if it ends right here: one that had ended was answered then. Without an event ($2 is NULL)
-- they are stored as they come.
WITH ended AS (
    UPDATE inbound SET state = $3::text, ended_at = now()
    WHERE id = $2::text AND state IN ('stored', 'running')
    RETURNING id
), given AS (
    SELECT number, letter
    FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS list (letter, number)
    WHERE $2 IS NULL OR EXISTS (SELECT FROM ended)
), fresh AS (
    INSERT INTO message (
        id, kind, to_kind, to_place, to_thread, blocks, author, reply_to,
        origin_kind, origin_place, origin_thread, origin_event, cause, tag, queueing, chain, hops,
        replaces, files
    )
    SELECT
        m.id, m.kind, m.to_kind, m.to_place, m.to_thread, m.blocks, m.author, m.reply_to,
        m.origin_kind, m.origin_place, m.origin_thread, m.origin_event, m.cause, m.tag,
        m.queueing, m.chain, m.hops, m.replaces, m.files
    FROM given, jsonb_to_record(letter) AS m (
        id text, kind text, to_kind text, to_place text, to_thread text, blocks jsonb, author text,
        reply_to text, origin_kind text, origin_place text, origin_thread text, origin_event text,
        cause text, tag text, queueing text, chain text, hops integer, replaces text, files jsonb
    )
    ORDER BY number
    ON CONFLICT (id) DO NOTHING
    RETURNING id, kind, replaces
), passed_over AS (
    UPDATE delivery d SET state = 'done', ended_at = now(), reason = 'a newer edit took its place'
    FROM (
        SELECT DISTINCT replaces FROM fresh WHERE replaces IS NOT NULL AND kind <> 'reaction'
    ) AS edited
    WHERE d.replaces = edited.replaces AND d.replaces IS NOT NULL AND d.state = 'due'
        AND d.lease_owner IS NULL AND d.kind NOT IN ('reaction', 'redaction')
    RETURNING d.message_id, d.part, d.reason
), ended_unsaid AS (
    INSERT INTO receipt (message_id, part, state, evidence, reason)
    SELECT message_id, part, 'failed', '{}', reason FROM passed_over
), said AS (
    INSERT INTO receipt (message_id, part, state, evidence)
    SELECT id, 0, 'stored', '{}' FROM fresh
), offered AS (
    INSERT INTO offer (message_id, mark, line, says, chooser, lifetime)
    SELECT fresh.id, o.mark, o.line, o.says, o.chooser, make_interval(secs => o.seconds)
    FROM given
    JOIN fresh ON fresh.id = letter ->> 'id', jsonb_to_recordset(letter -> 'offers') AS o (
        mark text, line text, says text, chooser text, seconds double precision
    )
    ON CONFLICT DO NOTHING
), queued AS (
    INSERT INTO delivery (
        message_id, part, lane, carrier, transaction_id, kind, to_kind, to_place, to_thread,
        body, html, reply_to, author, tag, queueing, offers, replaces, files, blocks, buttons
    )
    SELECT
        fresh.id, p.part, p.lane, p.carrier, p.transaction_id, p.kind, p.to_kind, p.to_place,
        p.to_thread, p.body, p.html, p.reply_to, p.author, p.tag, p.queueing,
        p.kind <> 'reaction' AND letter ? 'offers', p.replaces, p.files, p.blocks, p.buttons
    FROM given
    JOIN fresh ON fresh.id = letter ->> 'id', jsonb_to_recordset(letter -> 'parts') AS p (
        part integer, lane text, carrier text, transaction_id text, kind text, to_kind text,
        to_place text, to_thread text, body text, html text, reply_to text, author text, tag text,
        queueing text, replaces text, files jsonb, blocks jsonb, buttons jsonb
    )
    ORDER BY number, p.part
    RETURNING carrier
)
SELECT
    $2 IS NULL OR EXISTS (SELECT FROM inbound WHERE id = $2) AS known,
    (SELECT count(pg_notify('outbox', carrier)) FROM (SELECT DISTINCT carrier FROM queued) AS hints);

-- name: claim_heads(carriers, owner, lease, worker)
-- Steps from lane to lane over the partial index, so neither done rows nor a long lane cost anything. The
-- lock looks at the row again: a head that another claimer took or ended meanwhile is passed over.
-- What a mark stands on, and which mark of ours it takes the place of, is known only now: a lane moves in order, so
-- the words that it belongs to and every earlier mark on its event have their platform's ids. So is whom a message answers.
-- People's marks that the mirror shows stand beside ours. A redaction takes part after part away.
-- The disk is not waited for: a lease that a crash of the server undoes is taken again, for the same transaction id.
-- While a pause stands, mail of the worker ($4) that was put off leaves its lane to the messages behind it.
WITH RECURSIVE unhurried AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS set
), standing AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM pause WHERE lifted_at IS NULL) AS paused
), head AS (
    SELECT first.*
    FROM unhurried, unnest($1::text[]) AS asked (carrier), LATERAL (
        SELECT d.carrier, d.lane, d.id FROM delivery d
        WHERE d.state = 'due' AND d.carrier = asked.carrier AND NOT (
            d.author = $4::text AND d.attempts > 0 AND d.lease_owner IS NULL AND (SELECT paused FROM standing)
        )
        ORDER BY d.carrier, d.lane, d.id LIMIT 1
    ) AS first
    UNION ALL
    SELECT next.*
    FROM head, LATERAL (
        SELECT d.carrier, d.lane, d.id FROM delivery d
        WHERE d.state = 'due' AND d.carrier = head.carrier AND d.lane > head.lane AND NOT (
            d.author = $4 AND d.attempts > 0 AND d.lease_owner IS NULL AND (SELECT paused FROM standing)
        )
        ORDER BY d.carrier, d.lane, d.id LIMIT 1
    ) AS next
), free AS (
    SELECT d.id FROM delivery d JOIN head ON head.id = d.id
    WHERE d.state = 'due' AND d.due_at <= now() AND (
        d.lease_owner IS NULL
        OR d.leased_until <= now()
        OR (d.lease_owner <> $2 AND split_part(d.lease_owner, ' ', 1) = split_part($2, ' ', 1))
    )
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d
SET lease_owner = $2, leased_until = now() + $3::interval, attempts = attempts + 1,
    first_tried_at = coalesce(first_tried_at, now())
FROM free WHERE d.id = free.id
RETURNING d.id, d.message_id, d.part, d.transaction_id, d.kind, d.to_kind, d.to_place, d.to_thread,
    d.body, d.html, d.author, d.tag, d.queueing, d.replaces, d.files, d.blocks, d.buttons, d.attempts, d.first_tried_at,
    (
        SELECT o.platform_id FROM delivery o
        WHERE o.message_id = d.replaces AND o.part = CASE d.kind WHEN 'redaction' THEN d.part ELSE 0 END
    ) AS replaced_event,
    CASE WHEN d.kind = 'reaction' AND d.reply_to IS NULL THEN (
        SELECT words.platform_id FROM delivery words
        WHERE words.message_id = d.message_id AND words.kind <> 'reaction'
        ORDER BY words.files IS NULL DESC, words.part DESC LIMIT 1
    ) ELSE d.reply_to END AS reply_to,
    CASE WHEN d.kind = 'reaction' AND d.tag <> 'mirror' THEN (
        SELECT former.platform_id FROM delivery former
        WHERE former.kind = 'reaction' AND former.reply_to = d.reply_to AND former.id < d.id
            AND former.state = 'done' AND former.to_kind = d.to_kind AND former.to_place = d.to_place
            AND former.tag <> 'mirror'
        ORDER BY former.id DESC LIMIT 1
    ) END AS former_mark,
    CASE WHEN d.kind <> 'reaction' AND d.reply_to IS NOT NULL THEN (
        SELECT asked.sender_id FROM inbound asked
        WHERE asked.source_kind = d.to_kind AND asked.event_id = d.reply_to
    ) END AS answers,
    EXISTS (
        SELECT FROM receipt r
        WHERE r.message_id = d.message_id AND r.part = d.part AND r.state = 'typed'
    ) AS typed;

-- name: settle_delivery(id, attempts, message_id, part, state, by_what, evidence, reason, stated_at, platform_id)
-- The receipt is written only by whoever ends the delivery, so repeating it after a lost answer adds nothing.
-- A failure counts only from the holder of the last lease: another may be about to succeed.
WITH ended AS (
    UPDATE delivery
    SET state = CASE WHEN $5 = 'failed' THEN 'dead' ELSE 'done' END, ended_at = now(),
        platform_id = $10, lease_owner = NULL, leased_until = NULL,
        reason = CASE WHEN $5 = 'failed' THEN coalesce($8, 'no reason was given') ELSE $8 END
    WHERE id = $1 AND state = 'due' AND (attempts = $2 OR $5 <> 'failed')
    RETURNING id
)
INSERT INTO receipt (message_id, part, state, by_what, evidence, reason, stated_at)
SELECT $3, $4, $5, $6, $7, $8, coalesce($9, clock_timestamp()) FROM ended;

-- name: postpone_delivery(id, attempts, wait, reason, anew)
-- Counts only from the holder of the last lease; the row keeps its id and with it its place in the lane. Tried anew, the
-- time after which it is given up begins now.
UPDATE delivery
SET due_at = now() + $3::interval, reason = $4, lease_owner = NULL, leased_until = NULL,
    first_tried_at = CASE WHEN $5::boolean THEN now() ELSE first_tried_at END
WHERE id = $1 AND state = 'due' AND attempts = $2;

-- name: record_receipt(message_id, part, state, by_what, evidence, reason, stated_at)
-- Receipts are only ever added.
INSERT INTO receipt (message_id, part, state, by_what, evidence, reason, stated_at)
VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, clock_timestamp()));

-- name: permit_typing(message_id, part, state, by_what, evidence, reason, stated_at, worker)
-- The permit to type is the receipt that it was typed. Under the delivery's lock, so that a message is either taken back
-- or typed; a freeze stops all of them, a pause what the worker ($8) says.
WITH wanted AS (
    SELECT state, author FROM delivery WHERE message_id = $1 AND part = $2 FOR UPDATE
), forbids AS (
    SELECT by_id, by_name, pause.reason, since, is_freeze FROM pause, wanted
    WHERE lifted_at IS NULL AND wanted.state = 'due' AND (is_freeze OR author = $8::text)
    ORDER BY is_freeze DESC, id
    LIMIT 1
), permitted AS (
    INSERT INTO receipt (message_id, part, state, by_what, evidence, reason, stated_at)
    SELECT $1, $2, $3, $4, $5, $6, coalesce($7, clock_timestamp()) FROM wanted
    WHERE wanted.state = 'due' AND NOT EXISTS (SELECT FROM forbids)
)
SELECT wanted.state AS delivery_state, forbids.* FROM wanted LEFT JOIN forbids ON true;

-- name: hold_mail(message_id)
-- Mail that is still to be typed, locked: whoever is just given the permit is waited for.
SELECT id FROM delivery WHERE message_id = $1 AND to_kind = 'agent' AND state = 'due' FOR UPDATE;

-- name: withdraw_mail(message_id, reason)
-- Under hold_mail's lock and after it, so that this snapshot sees a permit that was waited for. Done, not dead: what was
-- taken back is not put in line again.
WITH ended AS (
    UPDATE delivery d
    SET state = 'done', ended_at = now(), reason = $2::text, lease_owner = NULL, leased_until = NULL
    WHERE message_id = $1 AND to_kind = 'agent' AND state = 'due' AND NOT EXISTS (
        SELECT FROM receipt r WHERE r.message_id = d.message_id AND r.part = d.part AND r.state = 'typed'
    )
    RETURNING message_id, part
)
INSERT INTO receipt (message_id, part, state, evidence, reason)
SELECT message_id, part, 'failed', '{}', $2 FROM ended
RETURNING id;

-- name: find_shown(kind, platform_ids)
-- What is known to stand somewhere of ours. Asked rarely: when nobody knows whether a message was shown.
SELECT platform_id FROM delivery WHERE to_kind = $1::text AND platform_id = ANY ($2::text[]);
