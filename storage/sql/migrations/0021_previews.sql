-- What was shown with a question.

-- The name of what a yes is to; NULL for a question that was asked before there were names, whose yes is to anything.
ALTER TABLE confirmation ADD COLUMN preview_id text CHECK (char_length(preview_id) BETWEEN 1 AND 64);
