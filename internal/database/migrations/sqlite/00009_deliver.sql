-- +goose Up

-- The runs that deliver now, one row each. The journal contains the outcomes of
-- the run's claims since they were last written to deliveries
-- (digest/delivery/journal.go). The run that takes over the claims deletes the
-- row.
CREATE TABLE delivery_runs (
    owner       TEXT PRIMARY KEY,
    lease_until TIMESTAMP NOT NULL,
    journal     TEXT NOT NULL DEFAULT ''
);

-- The index begins with the mailing, so that a claim need not skip all
-- deliveries of a paused mailing.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (mailing, next_at, id) WHERE state IN ('waiting', 'uncertain') AND next_at IS NOT NULL;
DROP INDEX deliveries_claimed;
CREATE INDEX deliveries_claimed ON deliveries (claimed_by) WHERE state = 'claimed';
CREATE INDEX feedback_class ON feedback (subscriber, kind, class, at);
ALTER TABLE mailings ADD COLUMN stuck_told_at TIMESTAMP;         -- the admin was told that it makes no progress

-- +goose Down
ALTER TABLE mailings DROP COLUMN stuck_told_at;
DROP INDEX feedback_class;
DROP INDEX deliveries_claimed;
CREATE INDEX deliveries_claimed ON deliveries (lease_until) WHERE state = 'claimed';
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (next_at, id) WHERE state IN ('waiting', 'uncertain') AND next_at IS NOT NULL;
DROP TABLE delivery_runs;
