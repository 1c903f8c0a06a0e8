-- +goose Up

-- Host names and numbers of processes are not unique among containers: only of a node of
-- the same machine can another tell that its process ended. Empty where it is not known.
ALTER TABLE nodes ADD COLUMN machine TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE nodes DROP COLUMN machine;
