-- Rooms with a role, and the message in a room that says how things stand and is edited in place.

CREATE TABLE room (
    connector text NOT NULL,
    place text NOT NULL,
    role text NOT NULL CHECK (role IN ('space', 'ops', 'mail', 'project')),
    project text NOT NULL DEFAULT '',
    kept_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (connector, place),
    CONSTRAINT room_purpose_once UNIQUE (connector, role, project),
    CONSTRAINT room_of_a_project CHECK ((role = 'project') = (project <> ''))
);

-- `message_id` is written before the message is, so a crash in between makes no second one.
CREATE TABLE placard (
    connector text NOT NULL,
    place text NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    former_event text,
    shown text NOT NULL DEFAULT '',
    shown_at timestamptz,
    pin text NOT NULL DEFAULT 'due' CHECK (pin IN ('due', 'done', 'refused')),
    PRIMARY KEY (connector, place)
);
