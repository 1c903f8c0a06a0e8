-- +goose Up

ALTER TABLE articles ADD COLUMN pinned BIGINT NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)); -- by an admin: first in its issue
ALTER TABLE articles ADD COLUMN hidden BIGINT NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1)); -- by an admin: shown nowhere

-- An official text, known by its number in its region, else by title, date and issuer.
CREATE TABLE documents (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    key          TEXT NOT NULL UNIQUE,                  -- its identity when it came
    number       TEXT NOT NULL DEFAULT '',              -- canonical 发文字号
    title        TEXT NOT NULL,
    issuers      TEXT NOT NULL DEFAULT '[]',            -- JSON, the lead issuer first
    type         TEXT NOT NULL DEFAULT '',              -- 文种
    level        TEXT NOT NULL DEFAULT '',
    region       TEXT NOT NULL DEFAULT '',
    theme        TEXT NOT NULL DEFAULT '',
    issued_on    TEXT,                                  -- dates are YYYY-MM-DD
    published_on TEXT,
    effective_on TEXT,
    expires_on   TEXT,
    repealed_on  TEXT,
    repealed_by  BIGINT REFERENCES articles (id) ON DELETE SET NULL, -- the article that says so
    superseded_on TEXT,                                 -- by its next version
    superseded_by BIGINT REFERENCES documents (id) ON DELETE SET NULL,
    marker       TEXT NOT NULL DEFAULT '',              -- the state that its page states
    work         TEXT NOT NULL DEFAULT '',              -- what the versions of a law share; '' for what has none
    subject      TEXT NOT NULL DEFAULT '',              -- of what others may implement; '' for what they may not
    subject_head TEXT NOT NULL DEFAULT '',              -- its first six characters
    article      BIGINT REFERENCES articles (id) ON DELETE SET NULL, -- that shows it best
    created_at   TIMESTAMP NOT NULL,
    updated_at   TIMESTAMP NOT NULL
);
CREATE INDEX documents_work ON documents (work) WHERE work <> '';
CREATE INDEX documents_subject_head ON documents (subject_head) WHERE subject_head <> '';
CREATE INDEX documents_expires_on ON documents (expires_on) WHERE expires_on IS NOT NULL;

CREATE TABLE document_names (                           -- the names that others use for it
    name     TEXT NOT NULL,                             -- canonical number, or cleaned title
    document BIGINT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL CHECK (kind IN ('number', 'title', 'inner')),
    PRIMARY KEY (name, document)
) WITHOUT ROWID;
CREATE INDEX document_names_document ON document_names (document);

CREATE TABLE carriers (                                 -- articles that are a document's text
    article  BIGINT NOT NULL PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
    document BIGINT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    standing BIGINT NOT NULL                            -- 0 is the issuer's own site
);
CREATE INDEX carriers_document ON carriers (document);

CREATE TABLE relations (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    article        BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE, -- the one that says so
    document       BIGINT REFERENCES documents (id) ON DELETE SET NULL,        -- whose text the article is
    kind           TEXT NOT NULL,                       -- 废止 …; '' only names it
    target         BIGINT REFERENCES documents (id) ON DELETE SET NULL,        -- NULL until it is here
    target_number  TEXT NOT NULL DEFAULT '',
    target_name    TEXT NOT NULL DEFAULT '',            -- its title as in document_names
    target_title   TEXT NOT NULL DEFAULT '',
    target_issuers TEXT NOT NULL DEFAULT '[]',
    target_head    TEXT NOT NULL DEFAULT '',            -- of what is promised: the first six characters of its subject
    said_in        TEXT NOT NULL CHECK (said_in IN ('title', 'text', 'subject')),
    quote          TEXT NOT NULL DEFAULT '',            -- the sentence
    since          TIMESTAMP NOT NULL,
    gone_at        TIMESTAMP,                           -- the text no longer says so
    UNIQUE (article, kind, target_number, target_name)
);
CREATE INDEX relations_target ON relations (target) WHERE target IS NOT NULL;
CREATE INDEX relations_target_number ON relations (target_number) WHERE target_number <> '';
CREATE INDEX relations_target_name ON relations (target_name) WHERE target_name <> '';
CREATE INDEX relations_document ON relations (document) WHERE document IS NOT NULL;
CREATE INDEX relations_target_head ON relations (target_head) WHERE target_head <> '';

CREATE TABLE sketches (                                 -- to find texts that may be the same
    hash     BIGINT NOT NULL,
    numbered BIGINT NOT NULL,                           -- 1: the article has a document number
    article  BIGINT NOT NULL,
    PRIMARY KEY (hash, numbered, article)
) WITHOUT ROWID;

CREATE TABLE clusters (                                 -- articles that are one text; one alone has no row
    article BIGINT NOT NULL PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
    cluster BIGINT NOT NULL,                            -- the least id in it
    first   BIGINT NOT NULL CHECK (first IN (0, 1)),    -- the original
    why     TEXT NOT NULL
);
CREATE INDEX clusters_cluster ON clusters (cluster);

CREATE TABLE document_events (                          -- what readers who follow a document are told
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    document BIGINT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,                             -- prevents a second one
    article  BIGINT REFERENCES articles (id) ON DELETE CASCADE, -- that brought it
    on_date  TEXT,
    at       TIMESTAMP NOT NULL,
    UNIQUE (document, kind, key)
);

CREATE TABLE corrections (                              -- by hand; the last of a field counts
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    article BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    field   TEXT NOT NULL,
    value   TEXT,                                       -- NULL: the correction is undone
    note    TEXT NOT NULL DEFAULT '',
    at      TIMESTAMP NOT NULL
);
CREATE INDEX corrections_article ON corrections (article, id);

CREATE TABLE search_keys (
    key     INTEGER PRIMARY KEY,                        -- grows with the day of the article: newest last
    article BIGINT NOT NULL UNIQUE REFERENCES articles (id) ON DELETE CASCADE,
    on_date TEXT NOT NULL,
    facets  TEXT NOT NULL                               -- kind, theme, region, issuer, year; a line break between them
);

-- The tokens are bigrams that dibao itself makes (feed/search/token.go), each
-- once; those of titles and fields begin with a marker, so that neither columns
-- nor positions need to be stored.
CREATE VIRTUAL TABLE article_search USING fts5(
    tokens, content='', contentless_delete=1, detail=none, tokenize='unicode61 remove_diacritics 0');
INSERT INTO article_search (article_search, rank) VALUES ('hashsize', 8000000);

-- +goose Down

DROP TABLE article_search;
DROP TABLE search_keys;
DROP TABLE corrections;
DROP TABLE document_events;
DROP TABLE clusters;
DROP TABLE sketches;
DROP TABLE relations;
DROP TABLE carriers;
DROP TABLE document_names;
DROP TABLE documents;
ALTER TABLE articles DROP COLUMN hidden;
ALTER TABLE articles DROP COLUMN pinned;
