-- +goose Up

-- If there is a row, the database is closed: it was moved to another database,
-- or is being moved.
CREATE TABLE node_moves (
    address  TEXT NOT NULL,        -- of the other, without its password
    began_at TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE node_moves;
