-- +goose Up

ALTER TABLE sources ADD COLUMN advice TEXT NOT NULL DEFAULT ''; -- on last_error; "": that of the state

-- +goose Down
ALTER TABLE sources DROP COLUMN advice;
