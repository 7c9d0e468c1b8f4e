-- What people should know of, and what they asked to be reminded of.

-- One row an episode: from the moment it is raised until it is settled. Kinds are words, and more may come.
CREATE TABLE concern (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 40),
    subject text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 400),
    text text NOT NULL CHECK (octet_length(text) <= 20000),
    urgent boolean NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    told_at timestamptz,
    again_at timestamptz,
    ended_at timestamptz,
    CONSTRAINT concern_again_only_when_told CHECK (again_at IS NULL OR told_at IS NOT NULL)
);

CREATE UNIQUE INDEX concern_open ON concern (kind, subject) WHERE ended_at IS NULL;

-- A rule is what a person asked for, in words that the program reads; next_at is when it falls due, null when it is over.
CREATE TABLE reminder (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner_id text NOT NULL,
    owner_name text NOT NULL,
    text text NOT NULL CHECK (char_length(text) BETWEEN 1 AND 2000),
    place_kind text NOT NULL,
    place text NOT NULL,
    thread text,
    reply_to text,
    rule text,
    timezone text NOT NULL,
    next_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    CONSTRAINT reminder_due_until_ended CHECK ((next_at IS NULL) = (ended_at IS NOT NULL))
);

CREATE INDEX reminder_due ON reminder (next_at) WHERE next_at IS NOT NULL;
