-- +goose Up

ALTER TABLE articles ADD COLUMN page_gone_at TIMESTAMPTZ; -- when its page was first found gone; gone for two days it is withdrawn

-- +goose Down

ALTER TABLE articles DROP COLUMN page_gone_at;
