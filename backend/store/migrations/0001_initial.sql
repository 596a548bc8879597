-- Times are microseconds since 1970-01-01 UTC. NULL means not known.

CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY,
    session_id TEXT    NOT NULL UNIQUE,

    -- What is shown. Derived from the columns below at each write.
    agent_name  TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    ended_at    INTEGER,
    status      TEXT    NOT NULL,
    tokens_in   INTEGER,
    tokens_out  INTEGER,
    cost_usd    REAL,
    event_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,

    -- What was reported.
    received_at INTEGER NOT NULL,
    name_at     INTEGER,
    start_at    INTEGER,
    end_at      INTEGER,
    first_event INTEGER,
    last_event  INTEGER,
    sum_in      INTEGER,
    sum_out     INTEGER,
    total_in    INTEGER,
    total_out   INTEGER,
    -- An exact sum: whole dollars and 2^-64 parts of one.
    cost_hi     INTEGER,
    cost_lo     INTEGER
);
CREATE INDEX sessions_started ON sessions (started_at DESC, id DESC);
CREATE INDEX sessions_status_started ON sessions (status, started_at DESC, id DESC);

-- One row a key, so that the entries of repeated session_starts merge.
-- value is JSON.
CREATE TABLE session_metadata (
    session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    key     TEXT    NOT NULL,
    value   TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (session, key)
) WITHOUT ROWID;

-- seq is the order of arrival. decision_trace, tool_call, input and output are
-- JSON, last in the row because they are long and most queries need none.
CREATE TABLE events (
    seq                INTEGER PRIMARY KEY,
    session            INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    event_id           TEXT    NOT NULL,
    timestamp          INTEGER NOT NULL,
    event_type         TEXT    NOT NULL,
    duration_ms        REAL,
    model              TEXT,
    provider           TEXT,
    tool_name          TEXT,
    tokens_in          INTEGER,
    tokens_out         INTEGER,
    cache_read_tokens  INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens   INTEGER,
    cost_usd           REAL,
    failed             INTEGER NOT NULL,
    error_type         TEXT,
    error_message      TEXT,
    trace_id           TEXT,
    parent_id          TEXT,
    decision_trace     TEXT,
    tool_call          TEXT,
    input              TEXT,
    output             TEXT
);
CREATE UNIQUE INDEX events_id ON events (session, event_id);
CREATE INDEX events_time ON events (session, timestamp, seq);

CREATE TABLE tags (
    session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    tag     TEXT    NOT NULL,
    PRIMARY KEY (session, tag)
) WITHOUT ROWID;
CREATE INDEX tags_tag ON tags (tag, session);

-- event_id is '' for an annotation of the whole session.
CREATE TABLE annotations (
    id         INTEGER PRIMARY KEY,
    session    INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    text       TEXT    NOT NULL,
    author     TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (session, event_id, type, author, text)
);
