-- Messages that take the place of one that was said before, and progress, which is edited until its turn ends.

ALTER TABLE message
    ADD COLUMN replaces text COLLATE "C" REFERENCES message,
    DROP CONSTRAINT message_kind_check,
    ADD CONSTRAINT message_kind_check
        CHECK (kind IN ('reply', 'notice', 'mail', 'answer', 'reaction', 'progress')),
    ADD CONSTRAINT message_replaces_another CHECK (replaces <> id);

ALTER TABLE delivery
    ADD COLUMN replaces text COLLATE "C",
    DROP CONSTRAINT delivery_kind_check,
    ADD CONSTRAINT delivery_kind_check
        CHECK (kind IN ('reply', 'notice', 'mail', 'answer', 'reaction', 'progress'));

CREATE INDEX delivery_edit_due ON delivery (replaces) WHERE state = 'due' AND replaces IS NOT NULL;
