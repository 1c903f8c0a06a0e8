-- +goose Up

-- What was unusual when the list of the source was last read: warnings as JSON; NULL: nothing.
ALTER TABLE sources ADD COLUMN warnings TEXT;

-- +goose Down
ALTER TABLE sources DROP COLUMN warnings;
