-- +goose Up

-- The proxy that a channel's service is reached through; '': none. It has no password.
ALTER TABLE channels ADD COLUMN proxy TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE channels DROP COLUMN proxy;
