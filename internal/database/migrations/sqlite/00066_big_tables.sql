-- +goose Up

-- Matching asks which lists took an article, and an article that goes takes its matches
-- along; pruning asks for the networks that were kept long enough, and the pages for
-- admins for how readers joined and left. Without these indexes each reads a table that
-- grows for ever.
CREATE INDEX matches_article ON matches (article);
CREATE INDEX consents_network ON consents (at) WHERE network <> '';
CREATE INDEX consents_at ON consents (at, list) WHERE event IN ('confirmed', 'added', 'imported', 'unsubscribed');

-- +goose Down
DROP INDEX consents_at;
DROP INDEX consents_network;
DROP INDEX matches_article;
