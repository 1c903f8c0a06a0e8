-- +goose Up

-- For the rate of the last minute, which no other index serves: it has an entry for each 32
-- pages, so that recording an outcome costs nothing more.
CREATE INDEX deliveries_done_at ON deliveries USING brin (done_at) WITH (pages_per_range = 32);

-- +goose Down
DROP INDEX deliveries_done_at;
