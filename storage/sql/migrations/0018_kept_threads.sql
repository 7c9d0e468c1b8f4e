-- Threads that we make for cards, where a platform has them.

-- A row without a thread is one that is being made: it is written before the opening is stored. No reference to the
-- card, so that the thread of a deleted one can still be put away; `card_made_at` tells a card from a later one of its id.
CREATE TABLE kept_thread (
    message_id text COLLATE "C" PRIMARY KEY,
    card_id text COLLATE "C" NOT NULL,
    card_made_at timestamptz NOT NULL,
    connector text NOT NULL,
    place text NOT NULL,
    thread text,
    begun_at timestamptz NOT NULL DEFAULT now(),
    wording text NOT NULL DEFAULT '',
    edited_at timestamptz,
    shown_title text,
    shown_status text,
    shown_archived boolean,
    seen_at timestamptz,
    again_at timestamptz DEFAULT now(),
    CONSTRAINT kept_thread_once UNIQUE (connector, place, thread),
    CONSTRAINT kept_thread_one_a_card UNIQUE (card_id, card_made_at, connector),
    CONSTRAINT kept_thread_look_whole CHECK (num_nonnulls(shown_title, shown_status, shown_archived) IN (0, 3))
);

CREATE INDEX kept_thread_again ON kept_thread (again_at) WHERE again_at IS NOT NULL;
CREATE INDEX kept_thread_in_the_making ON kept_thread (connector, begun_at) WHERE thread IS NULL;

-- Up to which line of history a platform's threads are kept; what was before the first look is not followed.
CREATE TABLE card_thread_position (
    connector text PRIMARY KEY,
    event_id bigint NOT NULL
);
