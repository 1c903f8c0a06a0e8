-- +goose Up

-- What readers said about themselves, as JSON; empty: nothing.
ALTER TABLE subscribers ADD COLUMN profile TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE subscribers DROP COLUMN profile;
