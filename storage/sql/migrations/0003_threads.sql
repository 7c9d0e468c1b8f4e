-- Cards and the threads in which people talk about them.

-- One thread a card and platform, one card a thread; where there are no threads, a room may be that of many cards.
CREATE TABLE card_thread (
    card_id text COLLATE "C" NOT NULL REFERENCES card ON DELETE CASCADE,
    connector text NOT NULL,
    place text NOT NULL,
    thread text,
    bound_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (card_id, connector),
    CONSTRAINT card_thread_once UNIQUE (connector, place, thread)
);

-- Up to which line of history all news are said; one row. What was before threads is old news.
CREATE TABLE card_news (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    event_id bigint NOT NULL
);

INSERT INTO card_news (event_id) SELECT coalesce(max(id), 0) FROM card_event;

-- Finds what somebody was asking for at a moment, among all that was ever said.
CREATE INDEX inbound_begun ON inbound (sender_id, begun_at) WHERE begun_at IS NOT NULL;
