-- +goose Up

-- The index of states does not contain deliveries that are waiting, claimed or
-- sent: these are nearly all, and each would be moved in it three times. The
-- waiting and the claimed ones have their own indexes, and the sent ones are
-- the rest.
DROP INDEX deliveries_mailing;
CREATE INDEX deliveries_ended ON deliveries (mailing, state) WHERE state IN ('failed', 'uncertain', 'suppressed');

-- +goose Down
DROP INDEX deliveries_ended;
CREATE INDEX deliveries_mailing ON deliveries (mailing, state);
