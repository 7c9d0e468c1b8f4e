-- Threads of one card on several platforms are one conversation: what is said in one is shown in the others.

ALTER TABLE message
    DROP CONSTRAINT message_kind_check,
    ADD CONSTRAINT message_kind_check
        CHECK (kind IN ('reply', 'notice', 'mail', 'answer', 'reaction', 'progress', 'redaction'));
ALTER TABLE delivery
    DROP CONSTRAINT delivery_kind_check,
    ADD CONSTRAINT delivery_kind_check
        CHECK (kind IN ('reply', 'notice', 'mail', 'answer', 'reaction', 'progress', 'redaction'));

-- How far both streams were read: what people said (inbound.seq) and what we said (delivery.id). What was before is history.
CREATE TABLE mirror (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    heard bigint NOT NULL,
    said bigint NOT NULL
);
INSERT INTO mirror (heard, said)
VALUES ((SELECT coalesce(max(seq), 0) FROM inbound), (SELECT coalesce(max(id), 0) FROM delivery));

-- People mark what we said, and what others said: both are found by the platform's id.
CREATE INDEX delivery_shown ON delivery (platform_id)
    WHERE to_thread IS NOT NULL AND platform_id IS NOT NULL AND kind <> 'reaction';
CREATE INDEX inbound_mark ON inbound (source_kind, stands_on) WHERE kind = 'reaction';
