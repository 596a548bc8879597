-- Sums kept beside the rows they are of, so that a page costs the same
-- whatever the number of events. They are written in the transaction that
-- writes the rows, and can be rebuilt from them (see rollup.go).
--
-- A cost is an exact sum in three parts: cost_2 + cost_1 / 2^32 + cost_0 / 2^64
-- dollars. Parts add up on their own, so that SUM() over rows stays exact.

-- What the events of a session amount to: an analysis.Summary as JSON.
CREATE TABLE summaries (
    session INTEGER PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    summary TEXT NOT NULL
);

-- The models and tools of a session; kind is model or tool.
CREATE TABLE session_names (
    kind    TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, name, session)
) WITHOUT ROWID;
CREATE INDEX session_names_session ON session_names (session);

-- Sessions by the UTC day (days since 1970) on which they started.
-- duration_us is the sum over the ended ones, of which there are ended.
CREATE TABLE session_days (
    day         INTEGER NOT NULL,
    agent       TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    sessions    INTEGER NOT NULL,
    events      INTEGER NOT NULL,
    errors      INTEGER NOT NULL,
    tokens_in   INTEGER NOT NULL,
    tokens_out  INTEGER NOT NULL,
    ended       INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    cost_2      INTEGER NOT NULL,
    cost_1      INTEGER NOT NULL,
    cost_0      INTEGER NOT NULL,
    PRIMARY KEY (day, agent, status)
) WITHOUT ROWID;

-- Events by the UTC day of their timestamp; model is '' for events without one.
CREATE TABLE usage_days (
    day         INTEGER NOT NULL,
    agent       TEXT    NOT NULL,
    model       TEXT    NOT NULL,
    events      INTEGER NOT NULL,
    errors      INTEGER NOT NULL,
    tokens_in   INTEGER NOT NULL,
    tokens_out  INTEGER NOT NULL,
    priced      INTEGER NOT NULL,
    timed       INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    cost_2      INTEGER NOT NULL,
    cost_1      INTEGER NOT NULL,
    cost_0      INTEGER NOT NULL,
    PRIMARY KEY (day, agent, model)
) WITHOUT ROWID;

-- Events by hour (hours since 1970, UTC), for the heatmap.
CREATE TABLE usage_hours (
    hour   INTEGER NOT NULL,
    agent  TEXT    NOT NULL,
    events INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    PRIMARY KEY (hour, agent)
) WITHOUT ROWID;

-- How often an event type or a tool occurs; kind is type or tool.
CREATE TABLE name_days (
    day   INTEGER NOT NULL,
    agent TEXT    NOT NULL,
    kind  TEXT    NOT NULL,
    name  TEXT    NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (day, agent, kind, name)
) WITHOUT ROWID;

-- Durations by event type, in the buckets of analysis.Durations. Agent '' is
-- all agents together: their buckets are too many to be added up for a page.
CREATE TABLE latency_days (
    day    INTEGER NOT NULL,
    agent  TEXT    NOT NULL,
    type   TEXT    NOT NULL,
    bucket INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (agent, type, day, bucket)
) WITHOUT ROWID;

CREATE INDEX sessions_agent_started ON sessions (agent_name, started_at DESC, id DESC);
CREATE INDEX annotations_author ON annotations (author, id);

-- Prices of the user's own, USD per million tokens.
CREATE TABLE prices (
    model      TEXT PRIMARY KEY,
    input      REAL NOT NULL,
    output     REAL NOT NULL,
    updated_at INTEGER NOT NULL
);

-- Small facts about the database itself.
CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
);
