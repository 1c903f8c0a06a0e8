-- +goose Up

-- Host names and process ids are not unique among containers: a node can tell
-- only for nodes on the same machine that their process has ended. Empty if the
-- machine is not known.
ALTER TABLE nodes ADD COLUMN machine TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE nodes DROP COLUMN machine;
