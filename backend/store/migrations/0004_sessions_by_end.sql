-- Drift compares the sessions of an agent that ended last.
CREATE INDEX sessions_agent_ended ON sessions (agent_name, ended_at DESC) WHERE status <> 'active';
