-- +goose Up

-- For the rate of the last minute, for which there is no other index. It has
-- one entry for every 32 pages, so that recording an outcome costs no more than
-- without it.
CREATE INDEX deliveries_done_at ON deliveries USING brin (done_at) WITH (pages_per_range = 32);

-- +goose Down
DROP INDEX deliveries_done_at;
