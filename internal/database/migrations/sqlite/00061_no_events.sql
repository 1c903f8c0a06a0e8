-- +goose Up

-- Nothing reads this table: pages take the history of a document from its
-- relations and dates.
DROP TABLE document_events;

-- +goose Down
CREATE TABLE document_events (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    document BIGINT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,
    article  BIGINT REFERENCES articles (id) ON DELETE CASCADE,
    on_date  TEXT,
    at       TIMESTAMP NOT NULL,
    UNIQUE (document, kind, key)
);
