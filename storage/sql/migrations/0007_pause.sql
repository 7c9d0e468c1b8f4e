-- Pauses, kept for ever: who stopped the fleet, why, and who let it go on. One stands until it is lifted. What a file
-- says (host and stamp: which file, as it was written last) stands as long as the file, or until somebody resumes.

CREATE TABLE pause (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    by_id text NOT NULL,
    by_name text NOT NULL,
    reason text,
    is_freeze boolean NOT NULL,
    host text,
    stamp text,
    since timestamptz NOT NULL DEFAULT now(),
    lifted_at timestamptz,
    lifted_by text,
    CONSTRAINT pause_of_file_whole CHECK ((host IS NULL) = (stamp IS NULL)),
    CONSTRAINT pause_lifted_by_somebody CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);

-- Nearly always empty: every claim and every message that is typed asks whether a pause stands.
CREATE INDEX pause_standing ON pause (id) WHERE lifted_at IS NULL;
CREATE UNIQUE INDEX pause_one_file_a_host ON pause (host) WHERE lifted_at IS NULL AND host IS NOT NULL;
CREATE INDEX pause_of_file ON pause (host, stamp, id) WHERE host IS NOT NULL;

-- Whoever waits for the fleet to go on, or stops with it, hears of it however it came about.
CREATE FUNCTION tell_pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('supervisor', 'pause');
    RETURN NULL;
END
$$;

CREATE TRIGGER pause_is_told AFTER INSERT OR UPDATE OF lifted_at ON pause
    FOR EACH ROW EXECUTE FUNCTION tell_pause();
