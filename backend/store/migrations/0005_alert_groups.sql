-- For which group of events an alert fired or was resolved, and in whose state.
-- NULL where the sender does not say it.
ALTER TABLE annotations ADD COLUMN alert_by TEXT;
ALTER TABLE annotations ADD COLUMN alert_value TEXT;
ALTER TABLE annotations ADD COLUMN alert_state TEXT;
