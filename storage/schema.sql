-- Generated from the migrations by `python -m storage.schema`; read it, do not edit it.

CREATE DOMAIN public.card_agent AS text
	CONSTRAINT card_agent_length CHECK (((char_length(VALUE) >= 1) AND (char_length(VALUE) <= 100)));

CREATE DOMAIN public.card_agent_class AS text
	CONSTRAINT card_agent_class_length CHECK (((char_length(VALUE) >= 1) AND (char_length(VALUE) <= 100)));

CREATE DOMAIN public.card_attempts AS integer
	CONSTRAINT card_attempts_counted CHECK ((VALUE >= 0));

CREATE DOMAIN public.card_block_reason AS text
	CONSTRAINT card_block_reason_length CHECK (((char_length(VALUE) >= 1) AND (char_length(VALUE) <= 2000)));

CREATE DOMAIN public.card_body AS text
	CONSTRAINT card_body_length CHECK ((octet_length(VALUE) <= 400000));

CREATE DOMAIN public.card_claim_owner AS text
	CONSTRAINT card_claim_owner_length CHECK (((char_length(VALUE) >= 1) AND (char_length(VALUE) <= 255)));

CREATE DOMAIN public.card_claim_ttl AS integer
	CONSTRAINT card_claim_ttl_range CHECK (((VALUE >= 1) AND (VALUE <= 604800)));

CREATE DOMAIN public.card_host AS text
	CONSTRAINT card_host_length CHECK (((char_length(VALUE) >= 1) AND (char_length(VALUE) <= 255)));

CREATE DOMAIN public.card_id AS text COLLATE pg_catalog."C"
	CONSTRAINT card_id_form CHECK ((VALUE ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'::text));

CREATE DOMAIN public.card_phase AS text
	CONSTRAINT card_phase_length CHECK (((char_length(VALUE) >= 1) AND (char_length(VALUE) <= 100)));

CREATE DOMAIN public.card_status AS text
	CONSTRAINT card_status_known CHECK ((VALUE = ANY (ARRAY['ready'::text, 'claimed'::text, 'blocked'::text, 'done'::text])));

CREATE DOMAIN public.card_title AS text
	CONSTRAINT card_title_length CHECK (((char_length(VALUE) >= 1) AND (char_length(VALUE) <= 300)));

CREATE DOMAIN public.card_unmet_deps AS integer
	CONSTRAINT card_unmet_deps_counted CHECK ((VALUE >= 0));

CREATE FUNCTION public.follow_mail() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'table % only grows: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE FUNCTION public.tell_cards() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('supervisor', 'card');
    RETURN NULL;
END
$$;

CREATE FUNCTION public.tell_pause() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('supervisor', 'pause');
    RETURN NULL;
END
$$;

CREATE TABLE public.acknowledgement (
    message_id text NOT NULL COLLATE pg_catalog."C",
    principal_id text NOT NULL,
    acknowledged_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.audit (
    id bigint NOT NULL,
    noted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    principal_id text NOT NULL,
    principal_name text NOT NULL,
    via text NOT NULL,
    action text NOT NULL,
    resource text NOT NULL,
    allowed boolean NOT NULL,
    rule text NOT NULL,
    reason text NOT NULL
);

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.card (
    id public.card_id NOT NULL,
    title public.card_title NOT NULL,
    body public.card_body DEFAULT ''::text NOT NULL,
    phase public.card_phase,
    priority integer DEFAULT 0 NOT NULL,
    status public.card_status DEFAULT 'ready'::text NOT NULL,
    unmet_deps public.card_unmet_deps DEFAULT 0 NOT NULL,
    attempts public.card_attempts DEFAULT 0 NOT NULL,
    claim_owner public.card_claim_owner,
    claim_token text,
    claim_ttl_seconds public.card_claim_ttl,
    claimed_at timestamp with time zone,
    claim_expires_at timestamp with time zone,
    idempotency_key text,
    acceptance jsonb,
    agent_class public.card_agent_class,
    agent public.card_agent,
    host public.card_host,
    block_reason public.card_block_reason,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    depends_on text[] DEFAULT '{}'::text[] NOT NULL,
    archived_at timestamp with time zone,
    CONSTRAINT card_claim_whole CHECK ((num_nonnulls(claim_owner, claim_token, claim_ttl_seconds, claimed_at, claim_expires_at) =
CASE status
    WHEN 'claimed'::text THEN 5
    ELSE 0
END))
)
WITH (fillfactor='75', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000', autovacuum_analyze_scale_factor='0.02');

CREATE TABLE public.card_edge (
    card_id text NOT NULL COLLATE pg_catalog."C",
    needs_id text NOT NULL COLLATE pg_catalog."C",
    "position" bigint NOT NULL,
    CONSTRAINT card_edge_no_self_link CHECK ((card_id <> needs_id))
);

ALTER TABLE public.card_edge ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.card_edge_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.card_event (
    id bigint NOT NULL,
    card_id text NOT NULL COLLATE pg_catalog."C",
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    actor text NOT NULL,
    via text NOT NULL,
    action text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL
)
WITH (autovacuum_analyze_scale_factor='0.05');

ALTER TABLE public.card_event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.card_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.card_key (
    key text NOT NULL COLLATE pg_catalog."C",
    card_id text NOT NULL COLLATE pg_catalog."C",
    CONSTRAINT card_key_length CHECK (((char_length(key) >= 1) AND (char_length(key) <= 200)))
);

CREATE TABLE public.card_news (
    only_row boolean DEFAULT true NOT NULL,
    event_id bigint NOT NULL,
    CONSTRAINT card_news_only_row_check CHECK (only_row)
);

CREATE TABLE public.card_rest (
    card_id text NOT NULL COLLATE pg_catalog."C",
    failures integer NOT NULL,
    rests_until timestamp with time zone NOT NULL,
    CONSTRAINT card_rest_failures_check CHECK ((failures > 0))
);

CREATE TABLE public.card_thread (
    card_id text NOT NULL COLLATE pg_catalog."C",
    connector text NOT NULL,
    place text NOT NULL,
    thread text,
    bound_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);

CREATE TABLE public.card_thread_position (
    connector text NOT NULL,
    event_id bigint NOT NULL
);

CREATE TABLE public.choice (
    message_id text NOT NULL COLLATE pg_catalog."C",
    mark text NOT NULL,
    event_id text NOT NULL,
    principal_id text NOT NULL,
    chosen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.concern (
    id bigint NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    text text NOT NULL,
    urgent boolean NOT NULL,
    since timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    told_at timestamp with time zone,
    again_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT concern_again_only_when_told CHECK (((again_at IS NULL) OR (told_at IS NOT NULL))),
    CONSTRAINT concern_kind_check CHECK (((char_length(kind) >= 1) AND (char_length(kind) <= 40))),
    CONSTRAINT concern_subject_check CHECK (((char_length(subject) >= 1) AND (char_length(subject) <= 400))),
    CONSTRAINT concern_text_check CHECK ((octet_length(text) <= 20000))
);

ALTER TABLE public.concern ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.concern_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.confirmation (
    principal_id text NOT NULL,
    code text NOT NULL,
    line text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    preview_id text,
    CONSTRAINT confirmation_preview_id_check CHECK (((char_length(preview_id) >= 1) AND (char_length(preview_id) <= 64)))
);

CREATE TABLE public.connector_position (
    connector text NOT NULL,
    place text NOT NULL,
    moved_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.content (
    id text NOT NULL COLLATE pg_catalog."C",
    bytes bigint,
    begun_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT content_bytes_check CHECK ((bytes >= 0))
);

CREATE TABLE public.content_piece (
    content_id text NOT NULL COLLATE pg_catalog."C",
    number integer NOT NULL,
    bytes bytea NOT NULL,
    CONSTRAINT content_piece_bytes_check CHECK (((octet_length(bytes) >= 1) AND (octet_length(bytes) <= 262144))),
    CONSTRAINT content_piece_number_check CHECK ((number >= 0))
);
ALTER TABLE ONLY public.content_piece ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE public.delivery (
    id bigint NOT NULL,
    message_id text NOT NULL COLLATE pg_catalog."C",
    part integer NOT NULL,
    lane text NOT NULL,
    carrier text NOT NULL,
    transaction_id text NOT NULL,
    kind text NOT NULL,
    to_kind text NOT NULL,
    to_place text NOT NULL,
    to_thread text,
    body text NOT NULL,
    html text,
    reply_to text,
    author text NOT NULL,
    tag text NOT NULL,
    state text DEFAULT 'due'::text NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    lease_owner text,
    leased_until timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    first_tried_at timestamp with time zone,
    platform_id text,
    reason text,
    ended_at timestamp with time zone,
    queueing text DEFAULT 'when-idle'::text NOT NULL,
    offers boolean DEFAULT false NOT NULL,
    replaces text COLLATE pg_catalog."C",
    files jsonb,
    blocks jsonb,
    buttons jsonb,
    CONSTRAINT delivery_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT delivery_dead_says_why CHECK (((state <> 'dead'::text) OR (reason IS NOT NULL))),
    CONSTRAINT delivery_ended CHECK (((state = 'due'::text) = (ended_at IS NULL))),
    CONSTRAINT delivery_kind_check CHECK ((kind = ANY (ARRAY['reply'::text, 'notice'::text, 'mail'::text, 'answer'::text, 'reaction'::text, 'progress'::text, 'redaction'::text]))),
    CONSTRAINT delivery_lease_of_due CHECK (((lease_owner IS NULL) OR (state = 'due'::text))),
    CONSTRAINT delivery_lease_whole CHECK (((lease_owner IS NULL) = (leased_until IS NULL))),
    CONSTRAINT delivery_part_check CHECK ((part >= 0)),
    CONSTRAINT delivery_queueing_check CHECK ((queueing = ANY (ARRAY['now'::text, 'when-idle'::text, 'interrupt'::text]))),
    CONSTRAINT delivery_state_check CHECK ((state = ANY (ARRAY['due'::text, 'done'::text, 'dead'::text]))),
    CONSTRAINT delivery_tried CHECK (((attempts = 0) OR (first_tried_at IS NOT NULL)))
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='1000');

ALTER TABLE public.delivery ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.dispatch (
    id text NOT NULL COLLATE pg_catalog."C",
    card_id text NOT NULL COLLATE pg_catalog."C",
    place text NOT NULL COLLATE pg_catalog."C",
    agent_class text NOT NULL,
    claim_token text NOT NULL,
    message_id text NOT NULL COLLATE pg_catalog."C",
    ask_id text NOT NULL COLLATE pg_catalog."C",
    begun_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    outcome text,
    reason text,
    CONSTRAINT dispatch_ended CHECK (((ended_at IS NULL) = (outcome IS NULL))),
    CONSTRAINT dispatch_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'refused'::text, 'forgotten'::text, 'lost'::text, 'limited'::text, 'failed'::text])))
);

CREATE TABLE public.host_presence (
    host text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.inbound (
    seq bigint NOT NULL,
    id text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    source_kind text NOT NULL,
    source_place text NOT NULL,
    source_thread text,
    sender_id text NOT NULL,
    sender_name text NOT NULL,
    body text NOT NULL,
    sent_at timestamp with time zone NOT NULL,
    recovered boolean NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    state text DEFAULT 'stored'::text NOT NULL,
    begun_by text,
    begun_at timestamp with time zone,
    ended_at timestamp with time zone,
    stands_on text,
    attachments jsonb,
    wording text,
    CONSTRAINT inbound_begun_by_at CHECK (((begun_by IS NULL) = (begun_at IS NULL))),
    CONSTRAINT inbound_ended CHECK (((state = ANY (ARRAY['stored'::text, 'running'::text])) = (ended_at IS NULL))),
    CONSTRAINT inbound_kind_check CHECK ((kind = ANY (ARRAY['text'::text, 'edit'::text, 'reaction'::text, 'redaction'::text]))),
    CONSTRAINT inbound_running_is_somebodys CHECK (((state <> 'running'::text) OR (begun_by IS NOT NULL))),
    CONSTRAINT inbound_stands CHECK (
CASE kind
    WHEN 'text'::text THEN (stands_on IS NULL)
    WHEN 'edit'::text THEN true
    ELSE (stands_on IS NOT NULL)
END),
    CONSTRAINT inbound_state_check CHECK ((state = ANY (ARRAY['stored'::text, 'running'::text, 'done'::text, 'failed'::text, 'refused'::text, 'ignored'::text, 'interrupted'::text, 'withdrawn'::text]))),
    CONSTRAINT inbound_stored_is_untouched CHECK (((state <> 'stored'::text) OR (begun_by IS NULL)))
);

ALTER TABLE public.inbound ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.inbound_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.kept_thread (
    message_id text NOT NULL COLLATE pg_catalog."C",
    card_id text NOT NULL COLLATE pg_catalog."C",
    card_made_at timestamp with time zone NOT NULL,
    connector text NOT NULL,
    place text NOT NULL,
    thread text,
    begun_at timestamp with time zone DEFAULT now() NOT NULL,
    wording text DEFAULT ''::text NOT NULL,
    edited_at timestamp with time zone,
    shown_title text,
    shown_status text,
    shown_archived boolean,
    seen_at timestamp with time zone,
    again_at timestamp with time zone DEFAULT now(),
    CONSTRAINT kept_thread_look_whole CHECK ((num_nonnulls(shown_title, shown_status, shown_archived) = ANY (ARRAY[0, 3])))
);

CREATE TABLE public.leader (
    singleton boolean DEFAULT true NOT NULL,
    host text NOT NULL,
    since timestamp with time zone NOT NULL,
    CONSTRAINT leader_singleton_check CHECK (singleton)
);

CREATE TABLE public.link_request (
    principal_id text NOT NULL,
    principal_name text NOT NULL,
    code text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    place text NOT NULL,
    thread text,
    reply_to text,
    lifetime interval NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    said_by_id text,
    said_by_name text,
    CONSTRAINT link_request_by_another CHECK ((said_by_id <> principal_id)),
    CONSTRAINT link_request_said CHECK (((said_by_id IS NULL) = (said_by_name IS NULL)))
);

CREATE TABLE public.linked (
    principal_id text NOT NULL,
    principal_name text NOT NULL,
    person text NOT NULL COLLATE pg_catalog."C",
    linked_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT linked_principal_id_check CHECK ((principal_id !~ '^(local|agent):'::text))
);

CREATE TABLE public.message (
    id text NOT NULL COLLATE pg_catalog."C",
    kind text NOT NULL,
    to_kind text NOT NULL,
    to_place text NOT NULL,
    to_thread text,
    blocks jsonb NOT NULL,
    author text NOT NULL,
    reply_to text,
    origin_kind text,
    origin_place text,
    origin_thread text,
    origin_event text,
    cause text,
    tag text NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    queueing text DEFAULT 'when-idle'::text NOT NULL,
    chain text COLLATE pg_catalog."C",
    hops integer DEFAULT 0 NOT NULL,
    replaces text COLLATE pg_catalog."C",
    files jsonb,
    CONSTRAINT message_blocks_check CHECK ((jsonb_typeof(blocks) = 'array'::text)),
    CONSTRAINT message_hops_check CHECK ((hops >= 0)),
    CONSTRAINT message_id_check CHECK ((id <> ''::text)),
    CONSTRAINT message_kind_check CHECK ((kind = ANY (ARRAY['reply'::text, 'notice'::text, 'mail'::text, 'answer'::text, 'reaction'::text, 'progress'::text, 'redaction'::text]))),
    CONSTRAINT message_origin_thread CHECK (((origin_thread IS NULL) OR (origin_kind IS NOT NULL))),
    CONSTRAINT message_origin_whole CHECK (((origin_kind IS NULL) = (origin_place IS NULL))),
    CONSTRAINT message_queueing_check CHECK ((queueing = ANY (ARRAY['now'::text, 'when-idle'::text, 'interrupt'::text]))),
    CONSTRAINT message_replaces_another CHECK ((replaces <> id))
);

CREATE TABLE public.migration (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.mirror (
    only_row boolean DEFAULT true NOT NULL,
    heard bigint NOT NULL,
    said bigint NOT NULL,
    CONSTRAINT mirror_only_row_check CHECK (only_row)
);

CREATE TABLE public.offer (
    message_id text NOT NULL COLLATE pg_catalog."C",
    mark text NOT NULL,
    line text NOT NULL,
    says text NOT NULL,
    chooser text,
    lifetime interval NOT NULL,
    stored_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT offer_line_check CHECK ((line <> ''::text)),
    CONSTRAINT offer_mark_check CHECK ((mark <> ''::text))
);

CREATE TABLE public.pause (
    id bigint NOT NULL,
    by_id text NOT NULL,
    by_name text NOT NULL,
    reason text,
    is_freeze boolean NOT NULL,
    host text,
    stamp text,
    since timestamp with time zone DEFAULT now() NOT NULL,
    lifted_at timestamp with time zone,
    lifted_by text,
    CONSTRAINT pause_lifted_by_somebody CHECK (((lifted_at IS NULL) = (lifted_by IS NULL))),
    CONSTRAINT pause_of_file_whole CHECK (((host IS NULL) = (stamp IS NULL)))
);

ALTER TABLE public.pause ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.pause_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.placard (
    connector text NOT NULL,
    place text NOT NULL,
    message_id text NOT NULL COLLATE pg_catalog."C",
    former_event text,
    shown text DEFAULT ''::text NOT NULL,
    shown_at timestamp with time zone,
    pin text DEFAULT 'due'::text NOT NULL,
    CONSTRAINT placard_pin_check CHECK ((pin = ANY (ARRAY['due'::text, 'done'::text, 'refused'::text])))
);

CREATE TABLE public.receipt (
    id bigint NOT NULL,
    message_id text NOT NULL COLLATE pg_catalog."C",
    part integer NOT NULL,
    state text NOT NULL,
    by_what text,
    evidence jsonb NOT NULL,
    reason text,
    stated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT receipt_evidence_check CHECK ((jsonb_typeof(evidence) = 'object'::text)),
    CONSTRAINT receipt_part_check CHECK ((part >= 0)),
    CONSTRAINT receipt_state_check CHECK ((state = ANY (ARRAY['stored'::text, 'typed'::text, 'accepted'::text, 'answered'::text, 'waiting'::text, 'failed'::text, 'unknown'::text])))
);

ALTER TABLE public.receipt ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.receipt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.reminder (
    id bigint NOT NULL,
    owner_id text NOT NULL,
    owner_name text NOT NULL,
    text text NOT NULL,
    place_kind text NOT NULL,
    place text NOT NULL,
    thread text,
    reply_to text,
    rule text,
    timezone text NOT NULL,
    next_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT reminder_due_until_ended CHECK (((next_at IS NULL) = (ended_at IS NOT NULL))),
    CONSTRAINT reminder_text_check CHECK (((char_length(text) >= 1) AND (char_length(text) <= 2000)))
);

ALTER TABLE public.reminder ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.reminder_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.room (
    connector text NOT NULL,
    place text NOT NULL,
    role text NOT NULL,
    project text DEFAULT ''::text NOT NULL,
    kept_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT room_of_a_project CHECK (((role = 'project'::text) = (project <> ''::text))),
    CONSTRAINT room_role_check CHECK ((role = ANY (ARRAY['space'::text, 'ops'::text, 'mail'::text, 'project'::text])))
);

CREATE TABLE public.slot (
    agent_class text NOT NULL,
    number integer NOT NULL,
    dispatch text COLLATE pg_catalog."C",
    CONSTRAINT slot_number_check CHECK ((number > 0))
);

CREATE TABLE public.succession (
    kind text NOT NULL,
    old_place text NOT NULL,
    new_place text NOT NULL,
    noted_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT succession_of_another CHECK ((old_place <> new_place))
);

CREATE TABLE public.tick (
    id bigint NOT NULL,
    host text NOT NULL,
    trigger text NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    took_ms double precision NOT NULL,
    cpu_ms double precision NOT NULL,
    reclaimed integer NOT NULL,
    dispatched integer NOT NULL,
    ended integer NOT NULL,
    open integer NOT NULL,
    available integer NOT NULL,
    idle_seconds double precision NOT NULL
);

ALTER TABLE public.tick ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tick_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.unanswered (
    message_id text NOT NULL COLLATE pg_catalog."C",
    carrier text NOT NULL,
    state text NOT NULL,
    CONSTRAINT unanswered_state_check CHECK ((state = ANY (ARRAY['stored'::text, 'typed'::text, 'accepted'::text, 'waiting'::text, 'unknown'::text])))
);

CREATE TABLE public.upload (
    id text NOT NULL COLLATE pg_catalog."C",
    folder text NOT NULL,
    name text NOT NULL,
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
    state text DEFAULT 'wanted'::text NOT NULL,
    reason text,
    content_id text COLLATE pg_catalog."C",
    bytes bigint,
    seq bigint NOT NULL,
    wanted_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    lease_owner text,
    leased_until timestamp with time zone,
    ended_at timestamp with time zone,
    told_at timestamp with time zone,
    removed_at timestamp with time zone,
    CONSTRAINT upload_forgets_key CHECK (((state = 'wanted'::text) OR (reference IS NULL))),
    CONSTRAINT upload_name_check CHECK (((name <> ''::text) AND (name !~ '[/[:cntrl:]]'::text) AND (name !~ '^[.-]'::text))),
    CONSTRAINT upload_removed_once CHECK (((state = 'removed'::text) = (removed_at IS NOT NULL))),
    CONSTRAINT upload_state_check CHECK ((state = ANY (ARRAY['wanted'::text, 'kept'::text, 'refused'::text, 'removed'::text])))
);

ALTER TABLE public.upload ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.upload_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.verdict (
    id bigint NOT NULL,
    tick_id bigint NOT NULL,
    subject text NOT NULL COLLATE pg_catalog."C",
    code text NOT NULL,
    sentence text NOT NULL,
    at timestamp with time zone NOT NULL
);

ALTER TABLE public.verdict ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.verdict_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.worker (
    place text NOT NULL COLLATE pg_catalog."C",
    host text NOT NULL,
    name text NOT NULL,
    agent_class text NOT NULL,
    takes_cards boolean NOT NULL,
    resets boolean NOT NULL,
    readiness text NOT NULL,
    evidence text NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    rests_until timestamp with time zone,
    needs_reset boolean DEFAULT false NOT NULL,
    CONSTRAINT worker_failures_check CHECK ((failures >= 0)),
    CONSTRAINT worker_place_form CHECK ((place = ((host || '/'::text) || name))),
    CONSTRAINT worker_readiness_check CHECK ((readiness = ANY (ARRAY['dead'::text, 'unknown'::text, 'stale'::text, 'stuck'::text, 'working'::text, 'available'::text])))
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.05');

ALTER TABLE ONLY public.acknowledgement
    ADD CONSTRAINT acknowledgement_pkey PRIMARY KEY (message_id, principal_id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.card_edge
    ADD CONSTRAINT card_edge_pkey PRIMARY KEY (card_id, needs_id);

ALTER TABLE ONLY public.card_event
    ADD CONSTRAINT card_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.card_key
    ADD CONSTRAINT card_key_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.card_news
    ADD CONSTRAINT card_news_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.card
    ADD CONSTRAINT card_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.card_rest
    ADD CONSTRAINT card_rest_pkey PRIMARY KEY (card_id);

ALTER TABLE ONLY public.card_thread
    ADD CONSTRAINT card_thread_once UNIQUE (connector, place, thread);

ALTER TABLE ONLY public.card_thread
    ADD CONSTRAINT card_thread_pkey PRIMARY KEY (card_id, connector);

ALTER TABLE ONLY public.card_thread_position
    ADD CONSTRAINT card_thread_position_pkey PRIMARY KEY (connector);

ALTER TABLE ONLY public.choice
    ADD CONSTRAINT choice_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY public.concern
    ADD CONSTRAINT concern_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.confirmation
    ADD CONSTRAINT confirmation_pkey PRIMARY KEY (principal_id, code);

ALTER TABLE ONLY public.connector_position
    ADD CONSTRAINT connector_position_pkey PRIMARY KEY (connector);

ALTER TABLE ONLY public.content_piece
    ADD CONSTRAINT content_piece_pkey PRIMARY KEY (content_id, number);

ALTER TABLE ONLY public.content
    ADD CONSTRAINT content_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_part_once UNIQUE (message_id, part);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_transaction_once UNIQUE (carrier, transaction_id);

ALTER TABLE ONLY public.dispatch
    ADD CONSTRAINT dispatch_ask_id_key UNIQUE (ask_id);

ALTER TABLE ONLY public.dispatch
    ADD CONSTRAINT dispatch_message_id_key UNIQUE (message_id);

ALTER TABLE ONLY public.dispatch
    ADD CONSTRAINT dispatch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.host_presence
    ADD CONSTRAINT host_presence_pkey PRIMARY KEY (host);

ALTER TABLE ONLY public.inbound
    ADD CONSTRAINT inbound_id_key UNIQUE (id);

ALTER TABLE ONLY public.inbound
    ADD CONSTRAINT inbound_once UNIQUE (source_kind, event_id);

ALTER TABLE ONLY public.inbound
    ADD CONSTRAINT inbound_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY public.kept_thread
    ADD CONSTRAINT kept_thread_once UNIQUE (connector, place, thread);

ALTER TABLE ONLY public.kept_thread
    ADD CONSTRAINT kept_thread_one_a_card UNIQUE (card_id, card_made_at, connector);

ALTER TABLE ONLY public.kept_thread
    ADD CONSTRAINT kept_thread_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY public.leader
    ADD CONSTRAINT leader_pkey PRIMARY KEY (singleton);

ALTER TABLE ONLY public.link_request
    ADD CONSTRAINT link_request_code_key UNIQUE (code);

ALTER TABLE ONLY public.link_request
    ADD CONSTRAINT link_request_pkey PRIMARY KEY (principal_id);

ALTER TABLE ONLY public.linked
    ADD CONSTRAINT linked_pkey PRIMARY KEY (principal_id);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.mirror
    ADD CONSTRAINT mirror_pkey PRIMARY KEY (only_row);

ALTER TABLE ONLY public.offer
    ADD CONSTRAINT offer_pkey PRIMARY KEY (message_id, mark);

ALTER TABLE ONLY public.pause
    ADD CONSTRAINT pause_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.placard
    ADD CONSTRAINT placard_pkey PRIMARY KEY (connector, place);

ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT receipt_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.reminder
    ADD CONSTRAINT reminder_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.room
    ADD CONSTRAINT room_pkey PRIMARY KEY (connector, place);

ALTER TABLE ONLY public.room
    ADD CONSTRAINT room_purpose_once UNIQUE (connector, role, project);

ALTER TABLE ONLY public.slot
    ADD CONSTRAINT slot_dispatch_key UNIQUE (dispatch);

ALTER TABLE ONLY public.slot
    ADD CONSTRAINT slot_pkey PRIMARY KEY (agent_class, number);

ALTER TABLE ONLY public.succession
    ADD CONSTRAINT succession_pkey PRIMARY KEY (kind, old_place);

ALTER TABLE ONLY public.tick
    ADD CONSTRAINT tick_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.unanswered
    ADD CONSTRAINT unanswered_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY public.upload
    ADD CONSTRAINT upload_name_once UNIQUE (folder, name);

ALTER TABLE ONLY public.upload
    ADD CONSTRAINT upload_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.verdict
    ADD CONSTRAINT verdict_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.worker
    ADD CONSTRAINT worker_pkey PRIMARY KEY (place);

CREATE INDEX audit_of_principal ON public.audit USING btree (principal_id, id DESC);

CREATE INDEX card_claimable ON public.card USING btree (priority DESC, created_at, id) WHERE (((status)::text = 'ready'::text) AND ((unmet_deps)::integer = 0));

CREATE INDEX card_edge_needs ON public.card_edge USING btree (needs_id, card_id);

CREATE INDEX card_event_card ON public.card_event USING btree (card_id, id);

CREATE INDEX card_expiring ON public.card USING btree (claim_expires_at) WHERE ((status)::text = 'claimed'::text);

CREATE INDEX card_for ON public.card USING btree (COALESCE((agent_class)::text, ''::text), COALESCE((agent)::text, ''::text), COALESCE((host)::text, ''::text), priority DESC, created_at, id) WHERE (((status)::text = 'ready'::text) AND ((unmet_deps)::integer = 0));

CREATE INDEX card_key_card ON public.card_key USING btree (card_id);

CREATE UNIQUE INDEX concern_open ON public.concern USING btree (kind, subject) WHERE (ended_at IS NULL);

CREATE INDEX confirmation_expiry ON public.confirmation USING btree (expires_at);

CREATE INDEX delivery_dead ON public.delivery USING btree (ended_at DESC, id DESC) WHERE (state = 'dead'::text);

CREATE INDEX delivery_due ON public.delivery USING btree (carrier, lane, id) WHERE (state = 'due'::text);

CREATE INDEX delivery_edit_due ON public.delivery USING btree (replaces) WHERE ((state = 'due'::text) AND (replaces IS NOT NULL));

CREATE INDEX delivery_mark ON public.delivery USING btree (reply_to, id) WHERE (kind = 'reaction'::text);

CREATE INDEX delivery_offering ON public.delivery USING btree (platform_id) WHERE offers;

CREATE INDEX delivery_shown ON public.delivery USING btree (platform_id) WHERE ((to_thread IS NOT NULL) AND (platform_id IS NOT NULL) AND (kind <> 'reaction'::text));

CREATE INDEX dispatch_of_card ON public.dispatch USING btree (card_id, begun_at DESC);

CREATE INDEX dispatch_of_place ON public.dispatch USING btree (place, begun_at DESC);

CREATE UNIQUE INDEX dispatch_one_a_card ON public.dispatch USING btree (card_id) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX dispatch_one_an_agent ON public.dispatch USING btree (place) WHERE (ended_at IS NULL);

CREATE INDEX inbound_begun ON public.inbound USING btree (sender_id, begun_at) WHERE (begun_at IS NOT NULL);

CREATE INDEX inbound_mark ON public.inbound USING btree (source_kind, stands_on) WHERE (kind = 'reaction'::text);

CREATE INDEX inbound_revision ON public.inbound USING btree (source_kind, stands_on) WHERE (kind = ANY (ARRAY['edit'::text, 'redaction'::text]));

CREATE INDEX inbound_running ON public.inbound USING btree (seq) WHERE (state = 'running'::text);

CREATE INDEX inbound_stored ON public.inbound USING btree (seq) WHERE (state = 'stored'::text);

CREATE INDEX kept_thread_again ON public.kept_thread USING btree (again_at) WHERE (again_at IS NOT NULL);

CREATE INDEX kept_thread_in_the_making ON public.kept_thread USING btree (connector, begun_at) WHERE (thread IS NULL);

CREATE INDEX link_request_expiry ON public.link_request USING btree (expires_at);

CREATE INDEX linked_person ON public.linked USING btree (person);

CREATE INDEX mail_from ON public.message USING btree (author, stored_at DESC) WHERE (kind = 'mail'::text);

CREATE INDEX mail_to ON public.message USING btree (to_place, stored_at DESC) WHERE (kind = 'mail'::text);

CREATE INDEX pause_of_file ON public.pause USING btree (host, stamp, id) WHERE (host IS NOT NULL);

CREATE UNIQUE INDEX pause_one_file_a_host ON public.pause USING btree (host) WHERE ((lifted_at IS NULL) AND (host IS NOT NULL));

CREATE INDEX pause_standing ON public.pause USING btree (id) WHERE (lifted_at IS NULL);

CREATE INDEX receipt_of_message ON public.receipt USING btree (message_id, id);

CREATE INDEX receipt_typed ON public.receipt USING btree (message_id, part) WHERE (state = 'typed'::text);

CREATE INDEX reminder_due ON public.reminder USING btree (next_at) WHERE (next_at IS NOT NULL);

CREATE INDEX tick_begun ON public.tick USING btree (begun_at);

CREATE INDEX unanswered_of_carrier ON public.unanswered USING btree (carrier);

CREATE INDEX upload_content ON public.upload USING btree (content_id) WHERE (content_id IS NOT NULL);

CREATE INDEX upload_kept ON public.upload USING btree (ended_at) WHERE (state = 'kept'::text);

CREATE INDEX upload_removed ON public.upload USING btree (removed_at) WHERE (state = 'removed'::text);

CREATE INDEX upload_untold ON public.upload USING btree (seq) WHERE (told_at IS NULL);

CREATE INDEX upload_wanted ON public.upload USING btree (due_at) WHERE (state = 'wanted'::text);

CREATE INDEX verdict_of_subject ON public.verdict USING btree (subject, id DESC);

CREATE INDEX verdict_of_tick ON public.verdict USING btree (tick_id);

CREATE INDEX worker_of_host ON public.worker USING btree (host);

CREATE TRIGGER audit_only_grows BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER card_is_told AFTER INSERT OR UPDATE OF unmet_deps, block_reason ON public.card FOR EACH STATEMENT EXECUTE FUNCTION public.tell_cards();

CREATE TRIGGER pause_is_told AFTER INSERT OR UPDATE OF lifted_at ON public.pause FOR EACH ROW EXECUTE FUNCTION public.tell_pause();

CREATE TRIGGER receipt_follows_mail AFTER INSERT ON public.receipt FOR EACH ROW WHEN ((new.state <> 'stored'::text)) EXECUTE FUNCTION public.follow_mail();

CREATE TRIGGER receipt_only_grows BEFORE DELETE OR UPDATE OR TRUNCATE ON public.receipt FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

ALTER TABLE ONLY public.acknowledgement
    ADD CONSTRAINT acknowledgement_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id);

ALTER TABLE ONLY public.card_edge
    ADD CONSTRAINT card_edge_card_id_fkey FOREIGN KEY (card_id) REFERENCES public.card(id);

ALTER TABLE ONLY public.card_edge
    ADD CONSTRAINT card_edge_needs_id_fkey FOREIGN KEY (needs_id) REFERENCES public.card(id);

ALTER TABLE ONLY public.card_key
    ADD CONSTRAINT card_key_card_id_fkey FOREIGN KEY (card_id) REFERENCES public.card(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.card_thread
    ADD CONSTRAINT card_thread_card_id_fkey FOREIGN KEY (card_id) REFERENCES public.card(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.choice
    ADD CONSTRAINT choice_message_id_mark_fkey FOREIGN KEY (message_id, mark) REFERENCES public.offer(message_id, mark);

ALTER TABLE ONLY public.content_piece
    ADD CONSTRAINT content_piece_content_id_fkey FOREIGN KEY (content_id) REFERENCES public.content(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.delivery
    ADD CONSTRAINT delivery_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_replaces_fkey FOREIGN KEY (replaces) REFERENCES public.message(id);

ALTER TABLE ONLY public.offer
    ADD CONSTRAINT offer_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id);

ALTER TABLE ONLY public.receipt
    ADD CONSTRAINT receipt_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id);

ALTER TABLE ONLY public.slot
    ADD CONSTRAINT slot_dispatch_fkey FOREIGN KEY (dispatch) REFERENCES public.dispatch(id);

ALTER TABLE ONLY public.unanswered
    ADD CONSTRAINT unanswered_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id);

ALTER TABLE ONLY public.upload
    ADD CONSTRAINT upload_content_id_fkey FOREIGN KEY (content_id) REFERENCES public.content(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.verdict
    ADD CONSTRAINT verdict_tick_id_fkey FOREIGN KEY (tick_id) REFERENCES public.tick(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.worker
    ADD CONSTRAINT worker_host_fkey FOREIGN KEY (host) REFERENCES public.host_presence(host);
