-- +goose Up

-- Who delivers now. One row a run: its journal holds what happened to its claims
-- since they were last written to deliveries (digest/journal.go), and whoever
-- takes its claims over deletes it.
CREATE TABLE delivery_runs (
    owner       TEXT PRIMARY KEY,
    lease_until TIMESTAMPTZ NOT NULL,
    journal     TEXT NOT NULL DEFAULT ''
);

-- By mailing: one that is paused is not walked through at each claim.
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (mailing, next_at, id) WHERE state IN ('waiting', 'uncertain') AND next_at IS NOT NULL;
DROP INDEX deliveries_claimed;
CREATE INDEX deliveries_claimed ON deliveries (claimed_by) WHERE state = 'claimed';
CREATE INDEX feedback_class ON feedback (subscriber, kind, class, at);
ALTER TABLE mailings ADD COLUMN stuck_told_at TIMESTAMPTZ;         -- the admin was told that it does not come on

-- +goose Down
ALTER TABLE mailings DROP COLUMN stuck_told_at;
DROP INDEX feedback_class;
DROP INDEX deliveries_claimed;
CREATE INDEX deliveries_claimed ON deliveries (lease_until) WHERE state = 'claimed';
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (next_at, id) WHERE state IN ('waiting', 'uncertain') AND next_at IS NOT NULL;
DROP TABLE delivery_runs;
