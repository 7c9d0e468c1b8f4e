-- name: try_lock(number)
-- A lock of the session: it goes with the connection, however that ends.
SELECT pg_try_advisory_lock($1::bigint)

-- name: unlock(number)
-- The connection goes back to the pool, which would keep the lock.
SELECT pg_advisory_unlock($1::bigint)
