-- Files: their bytes, what people sent and what became of it, and what goes with our own messages.

-- `bytes` is NULL while it is being written: what was cut short is nobody's and is cleared away.
CREATE TABLE content (
    id text COLLATE "C" PRIMARY KEY,
    bytes bigint CHECK (bytes >= 0),
    begun_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE content_piece (
    content_id text COLLATE "C" NOT NULL REFERENCES content ON DELETE CASCADE,
    number integer NOT NULL CHECK (number >= 0),
    bytes bytea NOT NULL CHECK (octet_length(bytes) BETWEEN 1 AND 262144),
    PRIMARY KEY (content_id, number)
);
-- Most files are compressed already.
ALTER TABLE content_piece ALTER COLUMN bytes SET STORAGE EXTERNAL;

ALTER TABLE inbound ADD COLUMN attachments jsonb;
ALTER TABLE message ADD COLUMN files jsonb;
ALTER TABLE delivery ADD COLUMN files jsonb;

-- A file that somebody sent. `folder` is `card:ID` or `inbox:HOST/NAME`; the name in it is ours, and nobody else's there.
CREATE TABLE upload (
    id text COLLATE "C" PRIMARY KEY,
    folder text NOT NULL,
    name text NOT NULL CHECK (name <> '' AND name !~ '[/[:cntrl:]]' AND name !~ '^[.-]'),
    to_host_and_name text NOT NULL,
    source_kind text NOT NULL,
    source_place text NOT NULL,
    source_thread text,
    event_id text NOT NULL,
    sender_id text NOT NULL,
    sender_name text NOT NULL,
    caption text NOT NULL,
    media_type text NOT NULL,
    said_bytes bigint,
    reference jsonb,
    state text NOT NULL DEFAULT 'wanted' CHECK (state IN ('wanted', 'kept', 'refused', 'removed')),
    reason text,
    content_id text COLLATE "C" REFERENCES content ON DELETE SET NULL,
    bytes bigint,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    wanted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    due_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    lease_owner text,
    leased_until timestamptz,
    ended_at timestamptz,
    told_at timestamptz,
    removed_at timestamptz,
    CONSTRAINT upload_name_once UNIQUE (folder, name),
    -- What opens an encrypted file is not kept longer than it is needed.
    CONSTRAINT upload_forgets_key CHECK (state = 'wanted' OR reference IS NULL),
    CONSTRAINT upload_removed_once CHECK ((state = 'removed') = (removed_at IS NOT NULL))
);
CREATE INDEX upload_wanted ON upload (due_at) WHERE state = 'wanted';
CREATE INDEX upload_untold ON upload (seq) WHERE told_at IS NULL;
CREATE INDEX upload_content ON upload (content_id) WHERE content_id IS NOT NULL;
CREATE INDEX upload_kept ON upload (ended_at) WHERE state = 'kept';
CREATE INDEX upload_removed ON upload (removed_at) WHERE state = 'removed';
