-- +goose Up

-- A row closes the database: it was moved to another, or is being moved.
CREATE TABLE node_moves (
    address  TEXT NOT NULL,        -- of the other, without its password
    began_at TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE node_moves;
