-- +goose Up

-- How many times deliveries for a page of readers were made. A run reads the
-- number before it reads what those readers already got, and increases it in
-- the transaction that stores the deliveries: if another run increased it in
-- the meantime, the first one starts again.
CREATE TABLE composition (
    id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);

-- +goose Down
DROP TABLE composition;
