-- +goose Up

-- What an article asks of its readers or offers them, as JSON; empty for nothing. The
-- index serves the page of calls, which are few among the articles.
ALTER TABLE articles ADD COLUMN call TEXT NOT NULL DEFAULT '';
CREATE INDEX articles_calls ON articles (deadline_on, id) WHERE call <> '';

-- +goose Down
DROP INDEX articles_calls;
ALTER TABLE articles DROP COLUMN call;
