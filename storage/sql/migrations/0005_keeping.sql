-- Keeping the backlog: what is finished may be put away. An archived card is a done one that lists leave out; what waits
-- for it goes on counting it as done.

ALTER TABLE card ADD COLUMN archived_at timestamptz;

-- History grows at its end and is read a card at a time: only what was deleted or undone elsewhere moves nothing here.
ALTER TABLE card_event SET (autovacuum_analyze_scale_factor = 0.05);
