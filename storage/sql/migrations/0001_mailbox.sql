-- What came in, what we say, what became of it, who was allowed what.

CREATE TABLE inbound (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text NOT NULL UNIQUE,
    event_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('text', 'edit')),
    source_kind text NOT NULL,
    source_place text NOT NULL,
    source_thread text,
    sender_id text NOT NULL,
    sender_name text NOT NULL,
    body text NOT NULL,
    sent_at timestamptz NOT NULL,
    recovered boolean NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'stored' CHECK (
        state IN ('stored', 'running', 'done', 'failed', 'refused', 'ignored', 'interrupted')
    ),
    begun_by text,
    begun_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT inbound_once UNIQUE (source_kind, event_id),
    CONSTRAINT inbound_stored_is_untouched CHECK (state <> 'stored' OR begun_by IS NULL),
    CONSTRAINT inbound_running_is_somebodys CHECK (state <> 'running' OR begun_by IS NOT NULL),
    CONSTRAINT inbound_begun_by_at CHECK ((begun_by IS NULL) = (begun_at IS NULL)),
    CONSTRAINT inbound_ended CHECK ((state IN ('stored', 'running')) = (ended_at IS NULL))
);
CREATE INDEX inbound_stored ON inbound (seq) WHERE state = 'stored';
CREATE INDEX inbound_running ON inbound (seq) WHERE state = 'running';

CREATE TABLE connector_position (
    connector text PRIMARY KEY,
    place text NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE message (
    -- COLLATE "C": people give the beginning of an id, and only this order serves a range of prefixes.
    id text COLLATE "C" PRIMARY KEY CHECK (id <> ''),
    kind text NOT NULL CHECK (kind IN ('reply', 'notice', 'mail', 'answer', 'reaction')),
    to_kind text NOT NULL,
    to_place text NOT NULL,
    to_thread text,
    blocks jsonb NOT NULL CHECK (jsonb_typeof(blocks) = 'array'),
    author text NOT NULL,
    reply_to text,
    origin_kind text,
    origin_place text,
    origin_thread text,
    origin_event text,
    cause text,
    tag text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT message_origin_whole CHECK ((origin_kind IS NULL) = (origin_place IS NULL)),
    CONSTRAINT message_origin_thread CHECK (origin_thread IS NULL OR origin_kind IS NOT NULL)
);

-- One row per part of a message. A lease is no state of its own, so that claiming and postponing touch no
-- indexed column (heap-only updates); `attempts` tells one lease from the next.
CREATE TABLE delivery (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text COLLATE "C" NOT NULL REFERENCES message,
    part integer NOT NULL CHECK (part >= 0),
    lane text NOT NULL,
    carrier text NOT NULL,
    transaction_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('reply', 'notice', 'mail', 'answer', 'reaction')),
    to_kind text NOT NULL,
    to_place text NOT NULL,
    to_thread text,
    body text NOT NULL,
    html text,
    reply_to text,
    author text NOT NULL,
    tag text NOT NULL,
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'done', 'dead')),
    due_at timestamptz NOT NULL DEFAULT now(),
    lease_owner text,
    leased_until timestamptz,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    first_tried_at timestamptz,
    platform_id text,
    reason text,
    ended_at timestamptz,
    CONSTRAINT delivery_part_once UNIQUE (message_id, part),
    CONSTRAINT delivery_transaction_once UNIQUE (carrier, transaction_id),
    CONSTRAINT delivery_lease_whole CHECK ((lease_owner IS NULL) = (leased_until IS NULL)),
    CONSTRAINT delivery_lease_of_due CHECK (lease_owner IS NULL OR state = 'due'),
    CONSTRAINT delivery_tried CHECK (attempts = 0 OR first_tried_at IS NOT NULL),
    CONSTRAINT delivery_ended CHECK ((state = 'due') = (ended_at IS NULL)),
    CONSTRAINT delivery_dead_says_why CHECK (state <> 'dead' OR reason IS NOT NULL)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
CREATE INDEX delivery_due ON delivery (carrier, lane, id) WHERE state = 'due';
CREATE INDEX delivery_dead ON delivery (ended_at DESC, id DESC) WHERE state = 'dead';

CREATE TABLE receipt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text COLLATE "C" NOT NULL REFERENCES message,
    part integer NOT NULL CHECK (part >= 0),
    state text NOT NULL CHECK (
        state IN ('stored', 'typed', 'accepted', 'answered', 'waiting', 'failed', 'unknown')
    ),
    by_what text,
    evidence jsonb NOT NULL CHECK (jsonb_typeof(evidence) = 'object'),
    reason text,
    stated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX receipt_of_message ON receipt (message_id, id);
CREATE INDEX receipt_typed ON receipt (message_id, part) WHERE state = 'typed';

-- Mail that an agent has and did not answer: a few rows derived from the receipts, where asking the
-- receipts themselves would cost more with every message ever sent.
CREATE TABLE unanswered (
    message_id text COLLATE "C" PRIMARY KEY REFERENCES message,
    carrier text NOT NULL,
    state text NOT NULL CHECK (state IN ('stored', 'typed', 'accepted', 'waiting', 'unknown'))
);
CREATE INDEX unanswered_of_carrier ON unanswered (carrier);

CREATE FUNCTION follow_mail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IN ('answered', 'failed') THEN
        DELETE FROM unanswered WHERE message_id = NEW.message_id;
    ELSIF NEW.state IN ('typed', 'accepted') THEN
        INSERT INTO unanswered (message_id, carrier, state)
        SELECT message_id, carrier, NEW.state FROM delivery
        WHERE message_id = NEW.message_id AND kind = 'mail' AND NOT EXISTS (
            -- An answer may be seen before the delivery's own end is written down.
            SELECT FROM receipt WHERE message_id = NEW.message_id AND state = 'answered'
        )
        ORDER BY part LIMIT 1
        ON CONFLICT (message_id) DO UPDATE SET state = EXCLUDED.state;
    ELSE
        UPDATE unanswered SET state = NEW.state WHERE message_id = NEW.message_id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER receipt_follows_mail AFTER INSERT ON receipt
    FOR EACH ROW WHEN (NEW.state <> 'stored') EXECUTE FUNCTION follow_mail();

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    noted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    principal_id text NOT NULL,
    principal_name text NOT NULL,
    via text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    allowed boolean NOT NULL,
    rule text NOT NULL,
    reason text NOT NULL
);
CREATE INDEX audit_of_principal ON audit (principal_id, id DESC);

CREATE TABLE confirmation (
    principal_id text NOT NULL,
    code text NOT NULL,
    line text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (principal_id, code)
);
CREATE INDEX confirmation_expiry ON confirmation (expires_at);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % only grows: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER receipt_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
