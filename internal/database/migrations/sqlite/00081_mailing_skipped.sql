-- +goose Up

-- How many readers of the mailing's lists get no email of it, by the reason, as JSON; NULL: not counted.
ALTER TABLE mailings ADD COLUMN skipped TEXT;

-- +goose Down
ALTER TABLE mailings DROP COLUMN skipped;
