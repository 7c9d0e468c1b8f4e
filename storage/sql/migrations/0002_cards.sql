-- The backlog: cards, the edges between them, the keys that make a repeated write harmless, and the history.

CREATE TABLE card (
    id text COLLATE "C" PRIMARY KEY,
    title text NOT NULL,
    body text NOT NULL DEFAULT '',
    phase text,
    priority integer NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'ready',
    unmet_deps integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    claim_owner text,
    claim_token text,
    claim_ttl_seconds integer,
    claimed_at timestamptz,
    claim_expires_at timestamptz,
    idempotency_key text,
    acceptance jsonb,
    agent_class text,
    agent text,
    host text,
    block_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT card_id_form CHECK (id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    CONSTRAINT card_title_length CHECK (char_length(title) BETWEEN 1 AND 300),
    -- octet_length knows the size of a value that was moved out of the row without fetching it.
    CONSTRAINT card_body_length CHECK (octet_length(body) <= 400000),
    CONSTRAINT card_phase_length CHECK (char_length(phase) BETWEEN 1 AND 100),
    CONSTRAINT card_agent_class_length CHECK (char_length(agent_class) BETWEEN 1 AND 100),
    CONSTRAINT card_agent_length CHECK (char_length(agent) BETWEEN 1 AND 100),
    CONSTRAINT card_host_length CHECK (char_length(host) BETWEEN 1 AND 255),
    CONSTRAINT card_block_reason_length CHECK (char_length(block_reason) BETWEEN 1 AND 2000),
    CONSTRAINT card_claim_owner_length CHECK (char_length(claim_owner) BETWEEN 1 AND 255),
    CONSTRAINT card_claim_ttl_range CHECK (claim_ttl_seconds BETWEEN 1 AND 604800),
    CONSTRAINT card_status_known CHECK (status IN ('ready', 'claimed', 'blocked', 'done')),
    CONSTRAINT card_unmet_deps_counted CHECK (unmet_deps >= 0),
    CONSTRAINT card_attempts_counted CHECK (attempts >= 0),
    CONSTRAINT card_claim_whole CHECK (
        num_nonnulls(claim_owner, claim_token, claim_ttl_seconds, claimed_at, claim_expires_at)
        = CASE status WHEN 'claimed' THEN 5 ELSE 0 END
    ),
    CONSTRAINT card_reason_only_when_blocked CHECK (block_reason IS NULL OR status = 'blocked')
) WITH (
    -- Claims rewrite rows all the time: leave them room, and clean up after thousands, not after a fifth of all.
    fillfactor = 75,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.02
);

-- What can be claimed, in the order in which it is: a claim reads its first free entry, whatever the backlog's size.
CREATE INDEX card_claimable ON card (priority DESC, created_at, id) WHERE status = 'ready' AND unmet_deps = 0;

CREATE INDEX card_expiring ON card (claim_expires_at) WHERE status = 'claimed';

-- The one place where a claim ends and a reason goes: whatever statement moves a card on.
CREATE FUNCTION card_leaves_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'claimed' THEN
        NEW.claim_owner := NULL;
        NEW.claim_token := NULL;
        NEW.claim_ttl_seconds := NULL;
        NEW.claimed_at := NULL;
        NEW.claim_expires_at := NULL;
    END IF;
    IF NEW.status <> 'blocked' THEN
        NEW.block_reason := NULL;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER card_leaves_status BEFORE UPDATE OF status ON card FOR EACH ROW
    WHEN (OLD.status IN ('claimed', 'blocked') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION card_leaves_status();

-- card_id waits for needs_id; position keeps the order in which people named them.
CREATE TABLE card_edge (
    card_id text COLLATE "C" NOT NULL REFERENCES card,
    needs_id text COLLATE "C" NOT NULL REFERENCES card,
    position bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (card_id, needs_id),
    CONSTRAINT card_edge_no_self_link CHECK (card_id <> needs_id)
);

CREATE INDEX card_edge_needs ON card_edge (needs_id, card_id);

-- Every key that a create or an edit was said with, and the card that it made or changed.
CREATE TABLE card_key (
    key text COLLATE "C" PRIMARY KEY,
    card_id text COLLATE "C" NOT NULL REFERENCES card ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT card_key_length CHECK (char_length(key) BETWEEN 1 AND 200)
);

CREATE INDEX card_key_card ON card_key (card_id);

-- History, append-only. It has no foreign key: it outlives its card, and a claim does not pay for the check.
CREATE TABLE card_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    card_id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    via text NOT NULL,
    action text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX card_event_card ON card_event (card_id, id);
