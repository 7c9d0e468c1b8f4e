-- Pauses. What they stop is in the statements that start work: claim_card, find_claimable, permit_typing, claim_heads.

-- name: begin_pause(by_id, by_name, reason, freeze)
-- Repeatable: the same words of the same person stand once.
INSERT INTO pause (by_id, by_name, reason, is_freeze)
SELECT $1::text, $2::text, $3::text, $4::boolean
WHERE NOT EXISTS (
    SELECT FROM pause
    WHERE lifted_at IS NULL AND host IS NULL AND by_id = $1 AND is_freeze = $4 AND reason IS NOT DISTINCT FROM $3
)

-- name: find_pause()
-- The strictest that stands: a freeze before the others, then the oldest.
SELECT by_id, by_name, reason, since, is_freeze FROM pause
WHERE lifted_at IS NULL
ORDER BY is_freeze DESC, id
LIMIT 1

-- name: lift_pauses(by_id)
-- All that stand, whoever made them; the strictest is answered.
WITH lifted AS (
    UPDATE pause SET lifted_at = clock_timestamp(), lifted_by = $1 WHERE lifted_at IS NULL
    RETURNING id, by_id, by_name, reason, since, is_freeze
)
SELECT by_id, by_name, reason, since, is_freeze FROM lifted ORDER BY is_freeze DESC, id LIMIT 1

-- name: find_file_pause(host, stamp)
-- What became of a file as it was written then.
SELECT lifted_by FROM pause
WHERE host = $1::text AND stamp = $2::text
ORDER BY id DESC
LIMIT 1

-- name: move_file_pause(host, stamp, reason)
-- A file that was written to again goes on being the same pause, with its new words.
UPDATE pause SET stamp = $2, reason = $3
WHERE host = $1 AND lifted_at IS NULL
RETURNING id

-- name: begin_file_pause(host, stamp, reason, by_id, by_name)
-- One a host: of two that look at one file the second changes nothing.
INSERT INTO pause (by_id, by_name, reason, is_freeze, host, stamp)
VALUES ($4, $5, $3, false, $1, $2)
ON CONFLICT (host) WHERE lifted_at IS NULL AND host IS NOT NULL DO NOTHING

-- name: lift_file_pause(host, by_id)
-- The file is gone: what it said is lifted, and nothing else.
UPDATE pause SET lifted_at = clock_timestamp(), lifted_by = $2
WHERE host = $1 AND lifted_at IS NULL
