-- +goose Up

-- Common words match tens of thousands of articles, and the columns that order
-- and count them must not be read from pages full of tokens: the tokens are
-- stored outside the row, which does not need them again, and the row contains
-- all that an answer shows of an article. Everything is indexed again by the
-- next process that runs (feed/search/queue.go).
DROP TABLE article_search;
DELETE FROM search_keys;
CREATE TABLE article_search (
    key     BIGINT PRIMARY KEY REFERENCES search_keys (key) ON DELETE CASCADE,
    article BIGINT NOT NULL,
    facets  TEXT NOT NULL,                              -- as in search_keys
    head    TSVECTOR NOT NULL,                          -- title, number, issuers, fields
    body    TSVECTOR NOT NULL                           -- all
);
ALTER TABLE article_search ALTER COLUMN facets SET STORAGE MAIN, ALTER COLUMN head SET STORAGE EXTERNAL, ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE article_search SET (toast_tuple_target = 128);
-- The pending list is merged after each batch, because each query reads all of
-- it.
CREATE INDEX article_search_head ON article_search USING GIN (head) WITH (gin_pending_list_limit = 65536);
CREATE INDEX article_search_body ON article_search USING GIN (body) WITH (gin_pending_list_limit = 65536);
INSERT INTO search_pending (article, stamp) SELECT id, 0 FROM articles WHERE hidden = 0 ON CONFLICT DO NOTHING;

-- +goose Down

DROP TABLE article_search;
DELETE FROM search_keys;
CREATE TABLE article_search (
    key  BIGINT PRIMARY KEY REFERENCES search_keys (key) ON DELETE CASCADE,
    head TSVECTOR NOT NULL,
    body TSVECTOR NOT NULL
);
CREATE INDEX article_search_head ON article_search USING GIN (head) WITH (gin_pending_list_limit = 256);
CREATE INDEX article_search_body ON article_search USING GIN (body) WITH (gin_pending_list_limit = 256);
ALTER TABLE article_search ALTER COLUMN head SET STORAGE MAIN, ALTER COLUMN body SET STORAGE MAIN;
ALTER TABLE article_search SET (toast_tuple_target = 8160);
