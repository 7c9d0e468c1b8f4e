-- Files that people sent: to be fetched, kept or refused, told.

-- name: lock_folder(folder)
-- Two that want the same name there come one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('folder ' || $1::text, 0));

-- name: known_upload(id)
-- One that was wanted before is left alone.
SELECT EXISTS (SELECT FROM upload WHERE id = $1);

-- name: taken_names(folder)
-- Every name that was ever given there: one does not come to mean another file.
SELECT name FROM upload WHERE folder = $1;

-- name: want_upload(id, folder, name, to_host_and_name, source_kind, source_place, source_thread, event_id, sender_id, sender_name, caption, media_type, said_bytes, reference)
-- Under the folder's lock.
INSERT INTO upload (
    id, folder, name, to_host_and_name, source_kind, source_place, source_thread, event_id, sender_id,
    sender_name, caption, media_type, said_bytes, reference
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (id) DO NOTHING;

-- name: claim_uploads(kinds, owner, lease, row_limit)
-- As deliveries are leased: what an earlier life of the same owner held is free.
WITH free AS (
    SELECT id FROM upload
    WHERE state = 'wanted' AND due_at <= now() AND source_kind = ANY ($1::text[]) AND (
        lease_owner IS NULL
        OR leased_until <= now()
        OR (lease_owner <> $2 AND split_part(lease_owner, ' ', 1) = split_part($2, ' ', 1))
    )
    ORDER BY seq LIMIT $4
    FOR UPDATE SKIP LOCKED
), leased AS (
    UPDATE upload u
    SET lease_owner = $2, leased_until = now() + $3::interval, attempts = u.attempts + 1
    FROM free WHERE u.id = free.id
    RETURNING u.*
)
SELECT leased.*, (
    SELECT coalesce(sum(k.bytes), 0)::bigint FROM upload k
    WHERE k.folder = leased.folder AND k.state = 'kept'
) AS used
FROM leased ORDER BY seq;

-- name: postpone_upload(id, attempts, wait, reason)
-- Counts only from the holder of the last lease.
UPDATE upload SET due_at = now() + $3::interval, reason = $4, lease_owner = NULL, leased_until = NULL
WHERE id = $1 AND state = 'wanted' AND attempts = $2;

-- name: settle_upload(id, state, reason, content_id, bytes, media_type)
-- Once; and with it goes what opens the file on its platform.
UPDATE upload
SET state = $2, reason = $3, content_id = $4, bytes = $5, media_type = coalesce($6, media_type),
    reference = NULL, ended_at = clock_timestamp(), lease_owner = NULL, leased_until = NULL
WHERE id = $1 AND state = 'wanted';

-- name: untold_uploads(gather, patience)
-- Whole groups only: nothing came lately, and what is still to be fetched was waited for.
WITH grouped AS (
    SELECT u.*, concat_ws(
        chr(31), u.source_kind, u.source_place, coalesce(u.source_thread, ''), u.sender_id, u.folder, u.to_host_and_name
    ) AS party
    FROM upload u WHERE u.told_at IS NULL
), due AS (
    SELECT party FROM grouped
    GROUP BY party
    HAVING max(wanted_at) <= clock_timestamp() - $1::interval AND bool_and(
        state <> 'wanted' OR wanted_at <= clock_timestamp() - $2::interval
    )
)
SELECT grouped.* FROM grouped JOIN due USING (party)
WHERE state <> 'wanted' ORDER BY party, seq LIMIT 200;

-- name: tell_uploads(ids)
-- In the transaction that stores what is said of them; the count says whether somebody was first.
WITH told AS (
    UPDATE upload SET told_at = now() WHERE id = ANY ($1::text[]) AND told_at IS NULL RETURNING id
)
SELECT count(*) FROM told;

-- name: card_files(folder)
-- What a card's page shows.
SELECT name, media_type, bytes, sender_id, ended_at, removed_at, content_id FROM upload
WHERE folder = $1 AND state IN ('kept', 'removed') ORDER BY seq;

-- name: expire_uploads(age)
-- A card that is there and not archived keeps its files; an inbox keeps them for a time.
UPDATE upload u SET state = 'removed', content_id = NULL, removed_at = now()
WHERE u.state = 'kept' AND u.told_at IS NOT NULL AND u.ended_at < now() - $1::interval AND NOT EXISTS (
    SELECT FROM card
    WHERE u.folder LIKE 'card:%' AND card.id = substr(u.folder, 6)
        AND coalesce(card.archived_at, now()) > now() - $1::interval
);

-- name: expire_contents(age)
-- Bytes of no upload: of our own messages, old by then, and what was cut short a day ago.
DELETE FROM content c
WHERE NOT EXISTS (SELECT FROM upload u WHERE u.content_id = c.id) AND NOT EXISTS (
    SELECT FROM upload w WHERE w.id = c.id AND w.state = 'wanted'
) AND (
    c.begun_at < now() - $1::interval
    OR (c.bytes IS NULL AND c.begun_at < now() - interval '1 day')
    OR EXISTS (SELECT FROM upload r WHERE r.id = c.id AND r.state <> 'kept')
);

-- name: removed_files()
-- For every host that has a copy; one that was away for longer keeps what nobody asks for.
SELECT folder, name FROM upload
WHERE state = 'removed' AND removed_at > now() - interval '90 days' ORDER BY seq;
