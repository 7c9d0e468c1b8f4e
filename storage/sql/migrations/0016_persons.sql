-- Accounts that belong to one person, and the codes by which they come to be linked.

-- Nobody's rights may follow from a machine's user or an agent by way of a link: no setting names those.
CREATE TABLE linked (
    principal_id text PRIMARY KEY CHECK (principal_id !~ '^(local|agent):'),
    principal_name text NOT NULL,
    person text COLLATE "C" NOT NULL,
    linked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX linked_person ON linked (person);

-- One a principal. Until `said_by` is there, the code waits to be said on the other side; then for its owner's yes.
CREATE TABLE link_request (
    principal_id text PRIMARY KEY,
    principal_name text NOT NULL,
    code text COLLATE "C" NOT NULL UNIQUE,
    kind text NOT NULL,
    place text NOT NULL,
    thread text,
    reply_to text,
    lifetime interval NOT NULL,
    expires_at timestamptz NOT NULL,
    said_by_id text,
    said_by_name text,
    CONSTRAINT link_request_by_another CHECK (said_by_id <> principal_id),
    CONSTRAINT link_request_said CHECK ((said_by_id IS NULL) = (said_by_name IS NULL))
);
CREATE INDEX link_request_expiry ON link_request (expires_at);
