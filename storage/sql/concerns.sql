-- Concerns: what people should know of.

-- name: raise_concern(kind, subject, text, urgent)
-- Of several who raise one at a time, one begins it. What changes nothing writes nothing, so that a look every few
-- seconds leaves no dead rows; then no row is returned.
INSERT INTO concern AS known (kind, subject, text, urgent) VALUES ($1, $2, $3, $4)
ON CONFLICT (kind, subject) WHERE ended_at IS NULL DO UPDATE
SET text = EXCLUDED.text,
    urgent = known.urgent OR EXCLUDED.urgent,
    told_at = CASE WHEN EXCLUDED.urgent AND NOT known.urgent THEN NULL ELSE known.told_at END,
    again_at = CASE WHEN EXCLUDED.urgent AND NOT known.urgent THEN NULL ELSE known.again_at END
WHERE known.text <> EXCLUDED.text OR (EXCLUDED.urgent AND NOT known.urgent)
RETURNING xmax = 0 AS began;

-- name: settle_concern(kind, subject)
-- The row stays, as history.
UPDATE concern SET ended_at = clock_timestamp()
WHERE kind = $1 AND subject = $2 AND ended_at IS NULL
RETURNING id;

-- name: find_open()
-- There are few: a partial index holds them alone.
SELECT id, kind, subject, text, urgent, since, told_at, again_at, ended_at
FROM concern WHERE ended_at IS NULL ORDER BY since, id;

-- name: find_untold()
-- Never told, or to be told again by now.
SELECT id, kind, subject, text, urgent, since, told_at, again_at, ended_at
FROM concern WHERE ended_at IS NULL AND (told_at IS NULL OR again_at <= clock_timestamp())
ORDER BY since, id;

-- name: mark_told(ids, told_ats, again_after)
-- All of them or none: only when every row is as it was read. Locked in one order, so that two who tell never wait in a
-- circle.
WITH read AS (
    SELECT id, told_at FROM unnest($1::bigint[], $2::timestamptz[]) AS list (id, told_at)
), held AS MATERIALIZED (
    SELECT concern.id FROM concern JOIN read ON read.id = concern.id
    WHERE concern.ended_at IS NULL AND concern.told_at IS NOT DISTINCT FROM read.told_at
    ORDER BY concern.id
    FOR UPDATE OF concern
)
UPDATE concern
SET told_at = clock_timestamp(), again_at = clock_timestamp() + $3::interval
FROM held WHERE held.id = concern.id AND (SELECT count(*) FROM held) = cardinality($1::bigint[])
RETURNING concern.id;
