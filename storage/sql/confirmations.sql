-- Destructive commands that wait for a yes.

-- name: ask(principal_id, code, line, lifetime, preview_id)
-- Whoever asks sweeps what has long expired, so nothing needs a clock of its own; until then a late yes is told so.
WITH swept AS (
    DELETE FROM confirmation
    WHERE expires_at <= now() - interval '1 day' AND NOT (principal_id = $1 AND code = $2)
)
INSERT INTO confirmation (principal_id, code, line, expires_at, preview_id)
VALUES ($1, $2, $3, now() + $4::interval, $5)
ON CONFLICT (principal_id, code) DO UPDATE
SET line = EXCLUDED.line, expires_at = EXCLUDED.expires_at, preview_id = EXCLUDED.preview_id;

-- name: take(principal_id, code)
-- Deleting it is taking it: of two who try at once, one gets the line.
WITH taken AS (
    DELETE FROM confirmation WHERE principal_id = $1 AND code = $2 RETURNING line, expires_at, preview_id
)
SELECT line, expires_at <= now() AS expired, preview_id FROM taken;
