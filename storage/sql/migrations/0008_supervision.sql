-- The supervisor: whom every host sees, who was given which card, and what was decided why.

-- One row per daemon that reports: an agent is only as well known as its host is awake.
CREATE TABLE host_presence (
    host text PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT now()
);

-- The register of agents, as their own hosts see them; what befell them with cards stands beside it.
CREATE TABLE worker (
    place text COLLATE "C" PRIMARY KEY,
    host text NOT NULL REFERENCES host_presence,
    name text NOT NULL,
    agent_class text NOT NULL,
    takes_cards boolean NOT NULL,
    resets boolean NOT NULL,
    readiness text NOT NULL CHECK (readiness IN ('dead', 'unknown', 'stale', 'stuck', 'working', 'available')),
    evidence text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
    rests_until timestamptz,
    needs_reset boolean NOT NULL DEFAULT false,
    CONSTRAINT worker_place_form CHECK (place = host || '/' || name)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX worker_of_host ON worker (host);

-- One attempt of the supervisor: this card for that agent under this claim. How far it came is read from the
-- receipts of its two messages and from the card; only its end is written here.
CREATE TABLE dispatch (
    id text COLLATE "C" PRIMARY KEY,
    card_id text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    agent_class text NOT NULL,
    claim_token text NOT NULL,
    message_id text COLLATE "C" NOT NULL UNIQUE,
    ask_id text COLLATE "C" NOT NULL UNIQUE,
    begun_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('completed', 'refused', 'forgotten', 'lost', 'limited', 'failed')),
    reason text,
    CONSTRAINT dispatch_ended CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX dispatch_one_an_agent ON dispatch (place) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX dispatch_one_a_card ON dispatch (card_id) WHERE ended_at IS NULL;
CREATE INDEX dispatch_of_card ON dispatch (card_id, begun_at DESC);
CREATE INDEX dispatch_of_place ON dispatch (place, begun_at DESC);

-- How many of a class may work at once: one row a slot, none for a class without a limit.
CREATE TABLE slot (
    agent_class text NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    dispatch text COLLATE "C" UNIQUE REFERENCES dispatch,
    PRIMARY KEY (agent_class, number)
);

-- A card that came back rests for a while, the longer the more often it did.
CREATE TABLE card_rest (
    card_id text COLLATE "C" PRIMARY KEY,
    failures integer NOT NULL CHECK (failures > 0),
    rests_until timestamptz NOT NULL
);

-- What a dispatch reads: the best card for a class, an agent and a host, each of them named or not.
CREATE INDEX card_for ON card (
    coalesce(agent_class, ''), coalesce(agent, ''), coalesce(host, ''), priority DESC, created_at, id
) WHERE status = 'ready' AND unmet_deps = 0;

CREATE TABLE leader (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    host text NOT NULL,
    since timestamptz NOT NULL
);

CREATE TABLE tick (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    host text NOT NULL,
    trigger text NOT NULL,
    begun_at timestamptz NOT NULL,
    took_ms double precision NOT NULL,
    cpu_ms double precision NOT NULL,
    reclaimed integer NOT NULL,
    dispatched integer NOT NULL,
    ended integer NOT NULL,
    open integer NOT NULL,
    available integer NOT NULL,
    idle_seconds double precision NOT NULL
);
CREATE INDEX tick_begun ON tick (begun_at);

-- Written when it differs from the last one of its subject: agent:PLACE, card:ID, or fleet.
CREATE TABLE verdict (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tick_id bigint NOT NULL REFERENCES tick ON DELETE CASCADE,
    subject text COLLATE "C" NOT NULL,
    code text NOT NULL,
    sentence text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX verdict_of_subject ON verdict (subject, id DESC);
CREATE INDEX verdict_of_tick ON verdict (tick_id);
