-- The bytes of files, in pieces.

-- name: forget_content(id)
-- What stood under the id goes, with its pieces.
DELETE FROM content WHERE id = $1;

-- name: begin_content(id)
-- Without its number of bytes it is not there for anybody.
INSERT INTO content (id) VALUES ($1);

-- name: add_piece(content_id, number, bytes)
-- One statement a piece: no connection is held while the next one is waited for.
INSERT INTO content_piece (content_id, number, bytes) VALUES ($1, $2, $3);

-- name: end_content(id, bytes)
-- From now on it is whole.
UPDATE content SET bytes = $2 WHERE id = $1 RETURNING id;

-- name: find_content(id)
-- Only whole ones.
SELECT bytes FROM content WHERE id = $1 AND bytes IS NOT NULL;

-- name: find_piece(content_id, number)
-- By the primary key.
SELECT bytes FROM content_piece WHERE content_id = $1 AND number = $2;
