-- What several spans tell of one call. Each of these is kept here as it came,
-- as JSON; the one event that is listed and counted is made of all of them, so
-- that it does not depend on which came first. part is 1 for a span that was
-- never an event.
CREATE TABLE copies (
    session  INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    event_id TEXT    NOT NULL,
    part     INTEGER NOT NULL,
    event    TEXT    NOT NULL,
    PRIMARY KEY (session, event_id)
) WITHOUT ROWID;

-- Event behind, which may come yet, tells the call of event front and yields to
-- it. session is the one that the call belongs to. session_id is where behind is
-- looked for: there, or in the session named by its trace, if it came before
-- anything had named its session.
CREATE TABLE same_calls (
    session_id TEXT    NOT NULL,
    behind     TEXT    NOT NULL,
    session    INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    front      TEXT    NOT NULL,
    PRIMARY KEY (session_id, behind, session, front)
) WITHOUT ROWID;
CREATE INDEX same_calls_session ON same_calls (session, behind);
CREATE INDEX same_calls_front ON same_calls (session, front);
