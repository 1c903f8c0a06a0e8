-- +goose Up

-- Tokens are already normalized and separated by spaces: the tokenizer need not
-- know Unicode, which took as long as hashing them. Everything is indexed again
-- by the next process that runs (feed/search/queue.go).
DROP TABLE article_search;
DELETE FROM search_keys;
CREATE VIRTUAL TABLE article_search USING fts5(
    tokens, content='', contentless_delete=1, detail=none, tokenize='ascii');
INSERT INTO article_search (article_search, rank) VALUES ('hashsize', 16000000);
INSERT INTO search_pending (article, stamp) SELECT id, 0 FROM articles WHERE hidden = 0 ON CONFLICT DO NOTHING;

-- +goose Down

DROP TABLE article_search;
DELETE FROM search_keys;
CREATE VIRTUAL TABLE article_search USING fts5(
    tokens, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0');
INSERT INTO article_search (article_search, rank) VALUES ('hashsize', 8000000);
