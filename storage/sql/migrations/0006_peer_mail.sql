-- Mail between agents: when it may be typed, which message began the chain that it belongs to and how many came
-- between, and what its reader has put away.

ALTER TABLE message
    ADD COLUMN queueing text NOT NULL DEFAULT 'when-idle' CHECK (queueing IN ('now', 'when-idle', 'interrupt')),
    ADD COLUMN chain text COLLATE "C",
    ADD COLUMN hops integer NOT NULL DEFAULT 0 CHECK (hops >= 0);

ALTER TABLE delivery
    ADD COLUMN queueing text NOT NULL DEFAULT 'when-idle' CHECK (queueing IN ('now', 'when-idle', 'interrupt'));

CREATE INDEX mail_to ON message (to_place, stored_at DESC) WHERE kind = 'mail';
CREATE INDEX mail_from ON message (author, stored_at DESC) WHERE kind = 'mail';

CREATE TABLE acknowledgement (
    message_id text COLLATE "C" NOT NULL REFERENCES message,
    principal_id text NOT NULL,
    acknowledged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, principal_id)
);
