-- +goose Up

ALTER TABLE mailings ADD COLUMN spread_seconds BIGINT NOT NULL DEFAULT 0 CHECK (spread_seconds >= 0); -- over how long its mails go out

-- +goose Down
ALTER TABLE mailings DROP COLUMN spread_seconds;
