-- +goose Up

-- When a mailing is composed, this index finds what a page of readers did not
-- get of earlier ones (digest/missed.go).
DROP INDEX deliveries_ended;
CREATE INDEX deliveries_ended ON deliveries (mailing, state, subscriber) WHERE state IN ('failed', 'uncertain', 'suppressed');
CREATE INDEX consents_lifted ON consents (at) WHERE event = 'unsuppressed';

-- +goose Down
DROP INDEX consents_lifted;
DROP INDEX deliveries_ended;
CREATE INDEX deliveries_ended ON deliveries (mailing, state) WHERE state IN ('failed', 'uncertain', 'suppressed');
