-- +goose Up

ALTER TABLE sources ADD COLUMN private TEXT NOT NULL DEFAULT ''; -- host and port that may be in our own network; an admin typed it

-- +goose Down
ALTER TABLE sources DROP COLUMN private;
