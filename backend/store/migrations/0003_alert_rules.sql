-- Rules over sums of a time window, made through the API and evaluated when it
-- is asked to, as the original backend's.
CREATE TABLE alert_rules (
    id               INTEGER PRIMARY KEY,
    name             TEXT    NOT NULL,
    metric           TEXT    NOT NULL,
    operator         TEXT    NOT NULL,
    threshold        REAL    NOT NULL,
    window_minutes   INTEGER NOT NULL,
    cooldown_minutes INTEGER NOT NULL,
    agent            TEXT,
    enabled          INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
);

-- Each time one of them fired, with what it said at that time: a rule may
-- change later.
CREATE TABLE alert_events (
    id              INTEGER PRIMARY KEY,
    rule            INTEGER NOT NULL REFERENCES alert_rules (id) ON DELETE CASCADE,
    triggered_at    INTEGER NOT NULL,
    value           REAL    NOT NULL,
    operator        TEXT    NOT NULL,
    threshold       REAL    NOT NULL,
    window_minutes  INTEGER NOT NULL,
    acknowledged_at INTEGER
);
CREATE INDEX alert_events_rule ON alert_events (rule, triggered_at);
CREATE INDEX alert_events_time ON alert_events (triggered_at);

-- NULL while nobody has changed, or acknowledged, it.
ALTER TABLE annotations ADD COLUMN updated_at INTEGER;
ALTER TABLE annotations ADD COLUMN acknowledged_at INTEGER;
