-- What became of the backlog in a time.

-- name: tally(since)
-- Once a day, so nothing is indexed for it. A card that was completed twice counts once.
WITH changed AS (
    SELECT card_id, detail -> 'status' ->> 'from' AS was, detail -> 'status' ->> 'to' AS became
    FROM card_event WHERE at >= $1 AND detail ? 'status'
)
SELECT
    count(DISTINCT card_id) FILTER (WHERE was IS NULL) AS created,
    count(DISTINCT card_id) FILTER (WHERE was IS NOT NULL AND became = 'done') AS completed,
    (SELECT min(applied_at) FROM migration) AS began_at
FROM changed;
