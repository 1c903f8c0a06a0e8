-- +goose Up

-- A site that changes the last day of a call in its text: the day before the change (NULL: none)
-- and after it. until_on is NULL if the day did not change.
ALTER TABLE revisions ADD COLUMN was_on TEXT;
ALTER TABLE revisions ADD COLUMN until_on TEXT;
CREATE INDEX revisions_until ON revisions (replaced_at) WHERE until_on IS NOT NULL;

-- +goose Down
DROP INDEX revisions_until;
ALTER TABLE revisions DROP COLUMN until_on;
ALTER TABLE revisions DROP COLUMN was_on;
