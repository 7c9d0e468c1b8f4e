-- Linked accounts, and the codes by which they come to be linked.

-- name: ask_link(principal_id, principal_name, code, kind, place, thread, reply_to, lifetime)
-- One a principal: a newer one makes the older void. Whoever asks sweeps, so nothing needs a clock of its own.
WITH swept AS (
    DELETE FROM link_request WHERE expires_at <= now() AND principal_id <> $1
)
INSERT INTO link_request (
    principal_id, principal_name, code, kind, place, thread, reply_to, lifetime, expires_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::interval, now() + $8::interval)
ON CONFLICT (principal_id) DO UPDATE
SET principal_name = EXCLUDED.principal_name, code = EXCLUDED.code, kind = EXCLUDED.kind,
    place = EXCLUDED.place, thread = EXCLUDED.thread, reply_to = EXCLUDED.reply_to,
    lifetime = EXCLUDED.lifetime, expires_at = EXCLUDED.expires_at, said_by_id = NULL, said_by_name = NULL;

-- name: find_link(code)
-- An expired one is as if it had never been.
SELECT principal_id, principal_name, code, kind, place, thread, reply_to, said_by_id, said_by_name
FROM link_request WHERE code = $1 AND expires_at > now();

-- name: say_link(code, said_by_id, said_by_name)
-- Said once; its owner then has the whole time again for the last word.
UPDATE link_request SET said_by_id = $2, said_by_name = $3, expires_at = now() + lifetime
WHERE code = $1 AND expires_at > now() AND said_by_id IS NULL AND principal_id <> $2
RETURNING code;

-- name: take_link(code, principal_id)
-- Deleting it is taking it: the last word is said once.
DELETE FROM link_request
WHERE code = $1 AND principal_id = $2 AND said_by_id IS NOT NULL AND expires_at > now()
RETURNING principal_id, principal_name, code, kind, place, thread, reply_to, said_by_id, said_by_name;

-- name: lock_linked()
-- Two links at once may be of the same person: one after another, so that none splits what the other brings together.
LOCK TABLE linked IN SHARE ROW EXCLUSIVE MODE;

-- name: merge_persons(person, principal_ids)
-- Whoever was linked with either of the two comes along.
UPDATE linked SET person = $1
WHERE person IN (SELECT person FROM linked WHERE principal_id = ANY($2::text[]));

-- name: keep_linked(principal_id, principal_name, person)
-- With the newest name.
INSERT INTO linked (principal_id, principal_name, person) VALUES ($1, $2, $3)
ON CONFLICT (principal_id) DO UPDATE
SET person = EXCLUDED.person, principal_name = EXCLUDED.principal_name;

-- name: list_linked()
-- All of them: people with several accounts are few.
SELECT principal_id, principal_name, person FROM linked ORDER BY person, principal_id;

-- name: part_linked(principal_id)
-- The others of its person stay together.
DELETE FROM linked WHERE principal_id = $1 RETURNING person;

-- name: forget_alone(person)
-- One account alone is linked with nobody.
DELETE FROM linked WHERE person = $1 AND (SELECT count(*) FROM linked WHERE person = $1) = 1;
