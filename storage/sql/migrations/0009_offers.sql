-- Marks as a way in: reactions with what they stand on, what messages offer to be chosen, and what was chosen.

ALTER TABLE inbound
    ADD COLUMN stands_on text,
    DROP CONSTRAINT inbound_kind_check,
    ADD CONSTRAINT inbound_kind_check CHECK (kind IN ('text', 'edit', 'reaction')),
    ADD CONSTRAINT inbound_reaction_stands CHECK ((kind = 'reaction') = (stands_on IS NOT NULL));

-- `mark` without the variation selectors that clients leave out or add as they like.
CREATE TABLE offer (
    message_id text COLLATE "C" NOT NULL REFERENCES message,
    mark text NOT NULL CHECK (mark <> ''),
    line text NOT NULL CHECK (line <> ''),
    says text NOT NULL,
    chooser text,
    lifetime interval NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, mark)
);

-- Of a message's offers one is chosen, once.
CREATE TABLE choice (
    message_id text COLLATE "C" PRIMARY KEY,
    mark text NOT NULL,
    event_id text NOT NULL,
    principal_id text NOT NULL,
    chosen_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (message_id, mark) REFERENCES offer
);

-- Few messages offer anything, so only their parts are found by the platform's id; and our marks by what they stand on.
ALTER TABLE delivery ADD COLUMN offers boolean NOT NULL DEFAULT false;
CREATE INDEX delivery_offering ON delivery (platform_id) WHERE offers;
CREATE INDEX delivery_mark ON delivery (reply_to, id) WHERE kind = 'reaction';
