-- +goose Up

ALTER TABLE articles ADD COLUMN withdrawn_at TIMESTAMP;      -- the site took the page away
CREATE INDEX articles_page_next_at ON articles (source, page_next_at) WHERE page_next_at IS NOT NULL;

CREATE TABLE revisions (                                -- what an article said before its text changed
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    article     BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    title       TEXT NOT NULL,
    paragraphs  TEXT NOT NULL,                          -- JSON
    replaced_at TIMESTAMP NOT NULL
);
CREATE INDEX revisions_article ON revisions (article, id);

-- +goose Down

DROP TABLE revisions;
DROP INDEX articles_page_next_at;
ALTER TABLE articles DROP COLUMN withdrawn_at;
