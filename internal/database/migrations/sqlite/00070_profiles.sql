-- +goose Up

-- What readers say of themselves, as JSON; empty for nothing.
ALTER TABLE subscribers ADD COLUMN profile TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE subscribers DROP COLUMN profile;
