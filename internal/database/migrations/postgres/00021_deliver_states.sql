-- +goose Up

-- A delivery that is waiting, claimed or sent is in no index of states: nearly all
-- are, and each would be moved in it three times. The waiting and the claimed have
-- indexes of their own, and the sent are the rest.
DROP INDEX deliveries_mailing;
CREATE INDEX deliveries_ended ON deliveries (mailing, state) WHERE state IN ('failed', 'uncertain', 'suppressed');

-- +goose Down
DROP INDEX deliveries_ended;
CREATE INDEX deliveries_mailing ON deliveries (mailing, state);
