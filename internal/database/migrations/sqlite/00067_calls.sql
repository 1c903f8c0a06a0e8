-- +goose Up

-- The call in an article (for applications, comments or bids), as JSON; empty:
-- none. The index serves the page of calls, because few articles have one.
ALTER TABLE articles ADD COLUMN call TEXT NOT NULL DEFAULT '';
CREATE INDEX articles_calls ON articles (deadline_on, id) WHERE call <> '';

-- +goose Down
DROP INDEX articles_calls;
ALTER TABLE articles DROP COLUMN call;
