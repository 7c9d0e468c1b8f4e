-- Messages that their platform shows in a form of its own.

-- What the body was made from; NULL for all that is text only.
ALTER TABLE delivery ADD COLUMN blocks jsonb;
