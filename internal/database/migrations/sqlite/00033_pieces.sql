-- +goose Up

-- Work that a transaction that stores articles leaves for later, so that it
-- stays short (feed/store_pieces.go).
CREATE TABLE settle_pending (                           -- relations to documents with these names
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    names TEXT NOT NULL,                                -- JSON
    after BIGINT NOT NULL                               -- the relation that was settled last
);
CREATE TABLE judge_pending (                            -- articles whose cluster fell apart
    article BIGINT NOT NULL PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE
);

-- The articles that contain a document's text, the preferred one first.
DROP INDEX carriers_document;
CREATE INDEX carriers_document ON carriers (document, standing, article);

-- +goose Down

DROP INDEX carriers_document;
CREATE INDEX carriers_document ON carriers (document);
DROP TABLE judge_pending;
DROP TABLE settle_pending;
