-- What people take back or say anew, and rooms that take the place of others.

-- wording is what was run of an event when that is not what was said first.
ALTER TABLE inbound
    ADD COLUMN wording text,
    DROP CONSTRAINT inbound_kind_check,
    ADD CONSTRAINT inbound_kind_check CHECK (kind IN ('text', 'edit', 'reaction', 'redaction')),
    DROP CONSTRAINT inbound_reaction_stands,
    -- Edits of earlier versions did not keep what they edit.
    ADD CONSTRAINT inbound_stands CHECK (
        CASE kind WHEN 'text' THEN stands_on IS NULL WHEN 'edit' THEN true ELSE stands_on IS NOT NULL END
    ),
    DROP CONSTRAINT inbound_state_check,
    ADD CONSTRAINT inbound_state_check CHECK (
        state IN (
            'stored', 'running', 'done', 'failed', 'refused', 'ignored', 'interrupted', 'withdrawn'
        )
    );
CREATE INDEX inbound_revision ON inbound (source_kind, stands_on) WHERE kind IN ('edit', 'redaction');

CREATE TABLE succession (
    kind text NOT NULL,
    old_place text NOT NULL,
    new_place text NOT NULL,
    noted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, old_place),
    CONSTRAINT succession_of_another CHECK (old_place <> new_place)
);
