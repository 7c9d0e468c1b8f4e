-- Mail between agents, as its readers and the guards against loops see it.

-- name: list_inbox(place, author, count)
-- What came for a place, and what an author sent and was answered or failed, unless the reader has put it away; the
-- newest ones, oldest first. A failure is one as long as nothing came after it: a dead letter may be tried again. Each side has its own index, so an old correspondence costs nothing.
WITH found AS (
    (
        SELECT m.id FROM message m
        WHERE m.kind = 'mail' AND m.to_place = $1::text AND NOT EXISTS (
            SELECT FROM acknowledgement a WHERE a.message_id = m.id AND a.principal_id = $2
        )
        ORDER BY m.stored_at DESC LIMIT $3
    )
    UNION
    (
        SELECT m.id FROM message m
        WHERE m.kind = 'mail' AND m.author = $2::text AND (
            EXISTS (SELECT FROM receipt r WHERE r.message_id = m.id AND r.state = 'answered')
            OR (
                SELECT r.state FROM receipt r WHERE r.message_id = m.id ORDER BY r.id DESC LIMIT 1
            ) = 'failed'
        ) AND NOT EXISTS (
            SELECT FROM acknowledgement a WHERE a.message_id = m.id AND a.principal_id = $2
        )
        ORDER BY m.stored_at DESC LIMIT $3
    )
), newest AS (
    SELECT m.* FROM message m JOIN found ON found.id = m.id
    ORDER BY m.stored_at DESC, m.id DESC LIMIT $3
)
SELECT newest.*, last.state AS standing, last.reason, said.answer
FROM newest
CROSS JOIN LATERAL (
    SELECT r.state, r.reason FROM receipt r
    WHERE r.message_id = newest.id ORDER BY r.id DESC LIMIT 1
) AS last
LEFT JOIN LATERAL (
    SELECT r.evidence ->> 'answer' AS answer FROM receipt r
    WHERE r.message_id = newest.id AND r.state = 'answered' ORDER BY r.id LIMIT 1
) AS said ON true
ORDER BY newest.stored_at, newest.id;

-- name: acknowledge(message_id, principal_id)
-- Once is enough, and twice is harmless.
INSERT INTO acknowledgement (message_id, principal_id) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: find_cause(place, quiet)
-- The newest mail that an agent was given, unless its turn ended, or failed, longer ago than that.
SELECT m.* FROM message m
CROSS JOIN LATERAL (
    SELECT max(r.stated_at) AS at FROM receipt r
    WHERE r.message_id = m.id AND r.state IN ('typed', 'accepted')
) AS given
CROSS JOIN LATERAL (
    SELECT max(r.stated_at) AS at FROM receipt r
    WHERE r.message_id = m.id
        AND (r.state = 'answered' OR (r.state = 'failed' AND r.stated_at >= given.at))
) AS ended
WHERE m.kind = 'mail' AND m.to_place = $1 AND m.stored_at > now() - interval '1 day'
    AND given.at IS NOT NULL AND coalesce(ended.at, now()) > now() - $2::interval
ORDER BY given.at DESC LIMIT 1;

-- name: count_between(author, place, other_author, other_place, within)
-- How much two agents wrote to each other of late, whoever began.
SELECT count(*) FROM message m
WHERE m.kind = 'mail' AND m.stored_at > now() - $5::interval AND (
    (m.author = $1::text AND m.to_place = $2::text) OR (m.author = $3::text AND m.to_place = $4::text)
);

-- name: count_attempts(message_id)
-- Of all its parts together.
SELECT coalesce(sum(attempts), 0) FROM delivery WHERE message_id = $1;
