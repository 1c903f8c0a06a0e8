-- +goose Up

-- Matching asks which lists matched an article, deleting an article deletes its
-- matches, pruning asks for networks that were kept long enough, and the
-- admin's pages ask how readers joined and left. Without these indexes, each
-- reads a whole table that always grows.
CREATE INDEX matches_article ON matches (article);
CREATE INDEX consents_network ON consents (at) WHERE network <> '';
CREATE INDEX consents_at ON consents (at, list) WHERE event IN ('confirmed', 'added', 'imported', 'unsubscribed');

-- +goose Down
DROP INDEX consents_at;
DROP INDEX consents_network;
DROP INDEX matches_article;
