-- name: report_workers(host, sightings)
-- A row is written only where something changed: most reports change nothing but the host's own row. Who hears of a
-- change may have a card for somebody.
WITH present AS (
    INSERT INTO host_presence (host) VALUES ($1::text)
    ON CONFLICT (host) DO UPDATE SET seen_at = now()
    RETURNING host
), said AS (
    SELECT s.* FROM jsonb_to_recordset($2::jsonb) AS s (
        place text, name text, agent_class text, takes_cards boolean, resets boolean, readiness text, evidence text
    )
), gone AS (
    DELETE FROM worker WHERE host = $1::text AND place NOT IN (SELECT place FROM said)
), changed AS (
    INSERT INTO worker AS w (place, host, name, agent_class, takes_cards, resets, readiness, evidence)
    SELECT said.place, present.host, said.name, said.agent_class, said.takes_cards, said.resets, said.readiness, said.evidence
    FROM said, present
    ON CONFLICT (place) DO UPDATE
    SET agent_class = EXCLUDED.agent_class, takes_cards = EXCLUDED.takes_cards, resets = EXCLUDED.resets,
        readiness = EXCLUDED.readiness, evidence = EXCLUDED.evidence,
        since = CASE WHEN w.readiness = EXCLUDED.readiness THEN w.since ELSE now() END
    WHERE (w.agent_class, w.takes_cards, w.resets, w.readiness, w.evidence)
        IS DISTINCT FROM (EXCLUDED.agent_class, EXCLUDED.takes_cards, EXCLUDED.resets, EXCLUDED.readiness, EXCLUDED.evidence)
    RETURNING place
)
SELECT count(pg_notify('supervisor', 'worker')) FROM (SELECT FROM changed LIMIT 1) AS hint

-- name: list_workers()
-- All of them: a tick looks at everybody. Of a class whose slots are all taken nobody needs to be tried.
SELECT w.*, h.seen_at, taken.agent_class IS NOT NULL AS class_is_full
FROM worker w
JOIN host_presence h USING (host)
LEFT JOIN (SELECT agent_class FROM slot GROUP BY agent_class HAVING bool_and(dispatch IS NOT NULL)) AS taken
    ON taken.agent_class = w.agent_class
ORDER BY w.place

-- name: was_reset(place)
-- Begun anew: nothing of the last card is left in it.
UPDATE worker SET needs_reset = false WHERE place = $1::text

-- name: drop_slots(limits)
-- What the settings no longer allow goes; a dispatch that held it goes on without.
DELETE FROM slot WHERE number > coalesce(($1::jsonb ->> agent_class)::integer, 0)

-- name: add_slots(limits)
-- One row a slot.
INSERT INTO slot (agent_class, number)
SELECT key, number FROM jsonb_each_text($1::jsonb), generate_series(1, value::integer) AS number
ON CONFLICT DO NOTHING

-- name: note_leader(host)
-- For people to read; the lock decides.
INSERT INTO leader (host, since) VALUES ($1::text, now())
ON CONFLICT (singleton) DO UPDATE SET host = EXCLUDED.host, since = EXCLUDED.since

-- name: find_leader()
-- Who led last.
SELECT host, since FROM leader

-- name: ask_for_tick()
-- Whoever leads listens.
SELECT count(pg_notify('supervisor', 'tick'))

-- name: record_tick(host, trigger, begun_at, took_ms, cpu_ms, reclaimed, dispatched, ended, open, available, idle_seconds, verdicts)
-- A tick with what it decided anew.
WITH ticked AS (
    INSERT INTO tick (
        host, trigger, begun_at, took_ms, cpu_ms, reclaimed, dispatched, ended, open, available, idle_seconds
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    RETURNING id
)
INSERT INTO verdict (tick_id, subject, code, sentence, at)
SELECT ticked.id, v.subject, v.code, v.sentence, v.at
FROM ticked, jsonb_to_recordset($12::jsonb) AS v (subject text, code text, sentence text, at timestamptz)

-- name: list_ticks(row_limit)
-- Newest first.
SELECT host, trigger, begun_at, took_ms, cpu_ms, reclaimed, dispatched, ended, open, available, idle_seconds
FROM tick ORDER BY id DESC LIMIT $1::bigint

-- name: list_verdicts(subject, row_limit)
-- Newest first.
SELECT subject, code, sentence, at FROM verdict WHERE subject = $1::text ORDER BY id DESC LIMIT $2::bigint

-- name: list_standing()
-- The newest on each subject; as many rows as there are agents and cards that were touched of late.
SELECT DISTINCT ON (subject) subject, code, sentence, at FROM verdict ORDER BY subject, id DESC

-- name: prune_ticks(age)
-- Old ticks, but for those that bear the newest verdict on something.
WITH old AS (
    DELETE FROM tick WHERE begun_at < now() - $1::interval AND NOT EXISTS (
        SELECT FROM verdict v WHERE v.tick_id = tick.id AND NOT EXISTS (
            SELECT FROM verdict newer WHERE newer.subject = v.subject AND newer.id > v.id
        )
    )
    RETURNING id
)
SELECT count(*) FROM old
