-- +goose Up

-- The data that pages and feeds are built from have a version: while the sum of
-- these rows stays the same, a node need not read the data again. There is one
-- row for each topic, so that writers don't wait for each other.
CREATE TABLE changes (
    topic   TEXT PRIMARY KEY,
    version BIGINT NOT NULL
) WITHOUT ROWID;

-- The feeds that contain an article: theme/…, region/…, issuer/…, source/…,
-- number/…. The same key pages through each of them, however old the articles
-- are.
CREATE TABLE article_feeds (
    feed    TEXT NOT NULL,
    article BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    PRIMARY KEY (feed, article)
) WITHOUT ROWID;
CREATE INDEX article_feeds_article ON article_feeds (article);

-- How often its calendar entry changed (SEQUENCE, RFC 5545).
ALTER TABLE articles ADD COLUMN date_changes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN date_changes BIGINT NOT NULL DEFAULT 0;
CREATE INDEX articles_effective_on ON articles (effective_on) WHERE effective_on IS NOT NULL AND effective_on <> '';
CREATE INDEX articles_expires_on ON articles (expires_on) WHERE expires_on IS NOT NULL AND expires_on <> '';
CREATE INDEX articles_deadline_on ON articles (deadline_on) WHERE deadline_on IS NOT NULL AND deadline_on <> '';
CREATE INDEX documents_effective_on ON documents (effective_on) WHERE effective_on IS NOT NULL;
CREATE INDEX documents_repealed_on ON documents (repealed_on) WHERE repealed_on IS NOT NULL;
CREATE INDEX articles_withdrawn_at ON articles (withdrawn_at) WHERE withdrawn_at IS NOT NULL;

-- +goose StatementBegin
CREATE TRIGGER articles_published AFTER INSERT ON articles BEGIN
    INSERT INTO article_feeds (feed, article) SELECT DISTINCT feed, NEW.id FROM (
        SELECT 'source/' || NEW.source AS feed
        UNION ALL SELECT 'theme/' || NEW.theme WHERE NEW.theme <> ''
        UNION ALL SELECT 'theme/' || substr(NEW.theme, 1, instr(NEW.theme, '\') - 1) WHERE instr(NEW.theme, '\') > 1
        UNION ALL SELECT 'region/' || NEW.region WHERE NEW.region <> ''
        UNION ALL SELECT 'region/' || substr(NEW.region, 1, 2) WHERE length(NEW.region) > 2
        UNION ALL SELECT 'region/' || substr(NEW.region, 1, 4) WHERE length(NEW.region) > 4
        UNION ALL SELECT 'region/' || substr(NEW.region, 1, 6) WHERE length(NEW.region) > 6
        UNION ALL SELECT 'issuer/' || value FROM json_each(NEW.issuers) WHERE value <> ''
        UNION ALL SELECT 'number/' || NEW.document_number WHERE NEW.document_number <> ''
        UNION ALL SELECT 'number/' || json_extract(value, '$.number') FROM json_each(NEW.facts, '$.citations') WHERE json_extract(value, '$.number') <> ''
    );
    INSERT INTO changes (topic, version) VALUES ('articles/' || NEW.source, 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER articles_judged AFTER UPDATE OF theme, region, issuers, document_number, facts ON articles BEGIN
    DELETE FROM article_feeds WHERE article = NEW.id;
    INSERT INTO article_feeds (feed, article) SELECT DISTINCT feed, NEW.id FROM (
        SELECT 'source/' || NEW.source AS feed
        UNION ALL SELECT 'theme/' || NEW.theme WHERE NEW.theme <> ''
        UNION ALL SELECT 'theme/' || substr(NEW.theme, 1, instr(NEW.theme, '\') - 1) WHERE instr(NEW.theme, '\') > 1
        UNION ALL SELECT 'region/' || NEW.region WHERE NEW.region <> ''
        UNION ALL SELECT 'region/' || substr(NEW.region, 1, 2) WHERE length(NEW.region) > 2
        UNION ALL SELECT 'region/' || substr(NEW.region, 1, 4) WHERE length(NEW.region) > 4
        UNION ALL SELECT 'region/' || substr(NEW.region, 1, 6) WHERE length(NEW.region) > 6
        UNION ALL SELECT 'issuer/' || value FROM json_each(NEW.issuers) WHERE value <> ''
        UNION ALL SELECT 'number/' || NEW.document_number WHERE NEW.document_number <> ''
        UNION ALL SELECT 'number/' || json_extract(value, '$.number') FROM json_each(NEW.facts, '$.citations') WHERE json_extract(value, '$.number') <> ''
    );
END;
-- +goose StatementEnd
UPDATE articles SET theme = theme; -- runs the trigger for existing articles
-- +goose StatementBegin
CREATE TRIGGER articles_dated AFTER UPDATE OF title, deadline_on ON articles
WHEN NEW.title <> OLD.title OR NEW.deadline_on IS NOT OLD.deadline_on BEGIN
    UPDATE articles SET date_changes = date_changes + 1 WHERE id = NEW.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_dated AFTER UPDATE OF title, effective_on, expires_on, repealed_on ON documents
WHEN NEW.title <> OLD.title OR NEW.effective_on IS NOT OLD.effective_on OR NEW.expires_on IS NOT OLD.expires_on OR NEW.repealed_on IS NOT OLD.repealed_on BEGIN
    UPDATE documents SET date_changes = date_changes + 1 WHERE id = NEW.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER articles_changed AFTER UPDATE OF url, title, facts, content, attachments, warnings, updated_at, withdrawn_at, hidden ON articles BEGIN
    INSERT INTO changes (topic, version) VALUES ('articles/' || NEW.source, 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER articles_removed AFTER DELETE ON articles BEGIN
    INSERT INTO changes (topic, version) VALUES ('articles/' || OLD.source, 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_added AFTER INSERT ON documents BEGIN
    INSERT INTO changes (topic, version) VALUES ('documents/' || (NEW.id % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_changed AFTER UPDATE OF number, title, issuers, type, level, region, theme, issued_on, published_on, effective_on, expires_on, repealed_on, superseded_on, marker, article ON documents BEGIN
    INSERT INTO changes (topic, version) VALUES ('documents/' || (NEW.id % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER relations_added AFTER INSERT ON relations BEGIN
    INSERT INTO changes (topic, version) VALUES ('relations/' || (NEW.article % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER relations_changed AFTER UPDATE ON relations BEGIN
    INSERT INTO changes (topic, version) VALUES ('relations/' || (NEW.article % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER clusters_added AFTER INSERT ON clusters BEGIN
    INSERT INTO changes (topic, version) VALUES ('clusters/' || (NEW.cluster % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER clusters_changed AFTER UPDATE ON clusters BEGIN
    INSERT INTO changes (topic, version) VALUES ('clusters/' || (NEW.cluster % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER clusters_removed AFTER DELETE ON clusters BEGIN
    INSERT INTO changes (topic, version) VALUES ('clusters/' || (OLD.cluster % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER sources_added AFTER INSERT ON sources BEGIN
    INSERT INTO changes (topic, version) VALUES ('sources', 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER sources_changed AFTER UPDATE OF url, name, licence, theme, state ON sources
WHEN NEW.url <> OLD.url OR NEW.name <> OLD.name OR NEW.licence <> OLD.licence OR NEW.theme <> OLD.theme OR NEW.state <> OLD.state BEGIN
    INSERT INTO changes (topic, version) VALUES ('sources', 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER lists_added AFTER INSERT ON lists BEGIN
    INSERT INTO changes (topic, version) VALUES ('lists', 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER lists_changed AFTER UPDATE ON lists BEGIN
    INSERT INTO changes (topic, version) VALUES ('lists', 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER matches_added AFTER INSERT ON matches BEGIN
    INSERT INTO changes (topic, version) VALUES ('matches/' || NEW.list, 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER matches_removed AFTER DELETE ON matches BEGIN
    INSERT INTO changes (topic, version) VALUES ('matches/' || OLD.list, 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER issues_added AFTER INSERT ON issues BEGIN
    INSERT INTO changes (topic, version) VALUES ('issues', 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER issues_changed AFTER UPDATE ON issues BEGIN
    INSERT INTO changes (topic, version) VALUES ('issues', 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER issues_removed AFTER DELETE ON issues BEGIN
    INSERT INTO changes (topic, version) VALUES ('issues', 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd

CREATE TABLE push_requests (                            -- somebody asks our hub to begin or end pushing; not verified yet
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    mode          TEXT NOT NULL CHECK (mode IN ('subscribe', 'unsubscribe')),
    topic         TEXT NOT NULL,
    callback      TEXT NOT NULL,
    secret        TEXT NOT NULL,
    lease_seconds BIGINT NOT NULL,
    tries         BIGINT NOT NULL DEFAULT 0,
    next_at       TIMESTAMP NOT NULL,                   -- when to ask the callback whether it is meant; moved on by who asks
    created_at    TIMESTAMP NOT NULL
);
CREATE INDEX push_requests_next_at ON push_requests (next_at);

CREATE TABLE push_subscriptions (                       -- WebSub, where we are the hub
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    topic       TEXT NOT NULL,                          -- address of a feed of ours
    callback    TEXT NOT NULL,
    secret      TEXT NOT NULL,                          -- signs what is pushed; "": unsigned
    sent_hash   TEXT NOT NULL,                          -- of the last content that was taken
    lease_until TIMESTAMP NOT NULL,
    failures    BIGINT NOT NULL DEFAULT 0,              -- in a row
    next_at     TIMESTAMP NOT NULL,                     -- not before; moved on by who delivers
    last_error  TEXT NOT NULL DEFAULT '',
    created_at  TIMESTAMP NOT NULL,
    UNIQUE (topic, callback)
);
CREATE INDEX push_subscriptions_next_at ON push_subscriptions (next_at);

CREATE TABLE hub_pings (                                -- the version of which each other hub was last notified
    hub     TEXT NOT NULL,
    topic   TEXT NOT NULL,
    hash    TEXT NOT NULL,
    next_at TIMESTAMP NOT NULL,
    PRIMARY KEY (hub, topic)
);

-- +goose Down

DROP TABLE hub_pings;
DROP TABLE push_subscriptions;
DROP TABLE push_requests;
DROP TRIGGER issues_removed;
DROP TRIGGER issues_changed;
DROP TRIGGER issues_added;
DROP TRIGGER matches_removed;
DROP TRIGGER matches_added;
DROP TRIGGER lists_changed;
DROP TRIGGER lists_added;
DROP TRIGGER sources_changed;
DROP TRIGGER sources_added;
DROP TRIGGER articles_removed;
DROP TRIGGER articles_changed;
DROP TRIGGER clusters_removed;
DROP TRIGGER clusters_changed;
DROP TRIGGER clusters_added;
DROP TRIGGER relations_changed;
DROP TRIGGER relations_added;
DROP TRIGGER documents_changed;
DROP TRIGGER documents_added;
DROP TRIGGER documents_dated;
DROP TRIGGER articles_dated;
DROP TRIGGER articles_judged;
DROP TRIGGER articles_published;
DROP INDEX articles_withdrawn_at;
DROP INDEX articles_deadline_on;
DROP INDEX articles_expires_on;
DROP INDEX articles_effective_on;
DROP INDEX documents_repealed_on;
DROP INDEX documents_effective_on;
ALTER TABLE documents DROP COLUMN date_changes;
ALTER TABLE articles DROP COLUMN date_changes;
DROP TABLE article_feeds;
DROP TABLE changes;
