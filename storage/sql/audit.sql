-- Who asked for what, and which rule decided.

-- name: note_decision(principal_id, principal_name, via, action, resource, allowed, rule, reason)
-- Rows are only ever added.
INSERT INTO audit (principal_id, principal_name, via, action, resource, allowed, rule, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: last_of_all(count)
-- Newest first, by the primary key.
SELECT noted_at AS at, principal_id, principal_name, via, action, resource, allowed, rule, reason
FROM audit ORDER BY id DESC LIMIT $1;

-- name: last_of_principal(principal_id, count)
-- Apart from the one above: an OR would cost it its index.
SELECT noted_at AS at, principal_id, principal_name, via, action, resource, allowed, rule, reason
FROM audit WHERE principal_id = $1 ORDER BY id DESC LIMIT $2;
