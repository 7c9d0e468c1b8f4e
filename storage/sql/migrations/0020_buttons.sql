-- Messages below which people find buttons.

-- What a press puts on the message, or the form that it opens; NULL for words that have none.
ALTER TABLE delivery ADD COLUMN buttons jsonb;
