-- +goose Up

-- The proxy through which a channel's service is reached; '': none. It contains
-- no password.
ALTER TABLE channels ADD COLUMN proxy TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE channels DROP COLUMN proxy;
