-- +goose Up

-- Articles that are new or have changed and that have not been matched with the
-- lists since. There is one row for each change; rows are deleted by their seq
-- after matching, so that a change in the meantime is not lost.
CREATE TABLE unmatched (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    article BIGINT NOT NULL
);
INSERT INTO unmatched (article) SELECT id FROM articles ORDER BY id DESC LIMIT 20000;
-- +goose StatementBegin
CREATE TRIGGER articles_unmatched_new AFTER INSERT ON articles
BEGIN
    INSERT INTO unmatched (article) VALUES (NEW.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER articles_unmatched_changed AFTER UPDATE ON articles
WHEN OLD.facts <> NEW.facts OR OLD.paragraphs <> NEW.paragraphs OR OLD.held <> NEW.held OR OLD.withdrawn_at IS NOT NEW.withdrawn_at
BEGIN
    INSERT INTO unmatched (article) VALUES (NEW.id);
END;
-- +goose StatementEnd

CREATE TABLE matched_queries (                             -- the query for which each list last matched old articles
    list  BIGINT NOT NULL PRIMARY KEY REFERENCES lists (id) ON DELETE CASCADE,
    query TEXT NOT NULL
);

ALTER TABLE mailings ADD COLUMN issues TEXT NOT NULL DEFAULT '[]';      -- JSON: ids of the issues that it brings
ALTER TABLE mailings ADD COLUMN composed_to BIGINT NOT NULL DEFAULT 0;  -- readers up to this id have their deliveries
ALTER TABLE mailings ADD COLUMN composed_at TIMESTAMP;                  -- all readers have

ALTER TABLE issues ADD COLUMN held BIGINT NOT NULL DEFAULT 0 CHECK (held IN (0, 1)); -- waits for an admin
ALTER TABLE issues ADD COLUMN reminded_at TIMESTAMP;                    -- the admin was told so
ALTER TABLE issues ADD COLUMN backfill BIGINT NOT NULL DEFAULT 0;       -- old articles that came at once and are not in it
ALTER TABLE issue_items ADD COLUMN event TEXT NOT NULL DEFAULT '';      -- '': it is new; else why it returns
ALTER TABLE issue_items ADD COLUMN standing BIGINT NOT NULL DEFAULT 0;  -- higher: more likely to be the lead
ALTER TABLE issue_items ADD COLUMN reason TEXT NOT NULL DEFAULT '';     -- why it would be the lead
ALTER TABLE issue_items ADD COLUMN folded TEXT NOT NULL DEFAULT '[]';   -- JSON: articles that are the same text

-- Readers for whom the issues of a list wait for a later email, because they
-- paused or want one email a week.
CREATE TABLE carried (
    subscriber BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    list       BIGINT NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    issue      BIGINT NOT NULL REFERENCES issues (id) ON DELETE CASCADE, -- the first that waits
    PRIMARY KEY (subscriber, list)
);
CREATE INDEX carried_list ON carried (list, subscriber);

-- The articles that a mailing contains for any of its readers: it tells where
-- an article may have been sent before.
CREATE TABLE mailing_items (
    article BIGINT NOT NULL REFERENCES articles (id),
    event   TEXT NOT NULL,
    mailing BIGINT NOT NULL REFERENCES mailings (id) ON DELETE CASCADE,
    PRIMARY KEY (article, event, mailing)
);

ALTER TABLE variants ADD COLUMN format TEXT NOT NULL DEFAULT 'html';
ALTER TABLE variants ADD COLUMN items TEXT NOT NULL DEFAULT '[]';       -- JSON, in the order of its issues
UPDATE variants SET items = (SELECT json_group_array(json_object('a', x.article, 'i', x.issue)) FROM
    (SELECT article, issue FROM variant_items WHERE variant = variants.id ORDER BY position) x);
INSERT INTO mailing_items (article, event, mailing) SELECT DISTINCT x.article, '', v.mailing FROM variant_items x JOIN variants v ON v.id = x.variant;
UPDATE mailings SET composed_at = created_at;
DROP TABLE variant_items;

-- +goose Down

CREATE TABLE variant_items (
    variant  BIGINT NOT NULL REFERENCES variants (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    article  BIGINT NOT NULL REFERENCES articles (id),
    issue    BIGINT NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    PRIMARY KEY (variant, article)
);
CREATE INDEX variant_items_article ON variant_items (article, variant);
INSERT INTO variant_items (variant, position, article, issue)
    SELECT v.id, x.key + 1, json_extract(x.value, '$.a'), json_extract(x.value, '$.i') FROM variants v, json_each(v.items) x;
ALTER TABLE variants DROP COLUMN items;
ALTER TABLE variants DROP COLUMN format;
DROP TABLE mailing_items;
DROP TABLE carried;
ALTER TABLE issue_items DROP COLUMN folded;
ALTER TABLE issue_items DROP COLUMN reason;
ALTER TABLE issue_items DROP COLUMN standing;
ALTER TABLE issue_items DROP COLUMN event;
ALTER TABLE issues DROP COLUMN backfill;
ALTER TABLE issues DROP COLUMN reminded_at;
ALTER TABLE issues DROP COLUMN held;
ALTER TABLE mailings DROP COLUMN composed_at;
ALTER TABLE mailings DROP COLUMN composed_to;
ALTER TABLE mailings DROP COLUMN issues;
DROP TABLE matched_queries;
DROP TRIGGER articles_unmatched_changed;
DROP TRIGGER articles_unmatched_new;
DROP TABLE unmatched;
