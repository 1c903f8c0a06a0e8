-- +goose Up

-- The data that pages and feeds are built from have a version: while the sum of
-- these rows stays the same, a node need not read the data again. There is one
-- row for each topic, so that writers don't wait for each other.
CREATE TABLE changes (
    topic   TEXT PRIMARY KEY,
    version BIGINT NOT NULL
);

-- The feeds that contain an article: theme/…, region/…, issuer/…, source/…,
-- number/…. The same key pages through each of them, however old the articles
-- are.
CREATE TABLE article_feeds (
    feed    TEXT NOT NULL,
    article BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    PRIMARY KEY (feed, article)
);
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
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (topic, version) VALUES (TG_ARGV[0], 1) ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION note_article() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (topic, version) VALUES ('articles/' || COALESCE(NEW.source, OLD.source), 1)
        ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION note_match() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (topic, version) VALUES ('matches/' || COALESCE(NEW.list, OLD.list), 1)
        ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION note_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (topic, version) VALUES ('documents/' || (NEW.id % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION note_relation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (topic, version) VALUES ('relations/' || (NEW.article % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION note_cluster() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (topic, version) VALUES ('clusters/' || (COALESCE(NEW.cluster, OLD.cluster) % 16), 1)
        ON CONFLICT (topic) DO UPDATE SET version = changes.version + 1;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION place_article() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM article_feeds WHERE article = NEW.id;
    INSERT INTO article_feeds (feed, article) SELECT DISTINCT feed, NEW.id FROM (
        SELECT 'source/' || NEW.source AS feed
        UNION ALL SELECT 'theme/' || NEW.theme WHERE NEW.theme <> ''
        UNION ALL SELECT 'theme/' || split_part(NEW.theme, E'\\', 1) WHERE strpos(NEW.theme, E'\\') > 1
        UNION ALL SELECT 'region/' || NEW.region WHERE NEW.region <> ''
        UNION ALL SELECT 'region/' || substr(NEW.region, 1, 2) WHERE length(NEW.region) > 2
        UNION ALL SELECT 'region/' || substr(NEW.region, 1, 4) WHERE length(NEW.region) > 4
        UNION ALL SELECT 'region/' || substr(NEW.region, 1, 6) WHERE length(NEW.region) > 6
        UNION ALL SELECT 'issuer/' || i.value FROM jsonb_array_elements_text(NEW.issuers::jsonb) AS i (value) WHERE i.value <> ''
        UNION ALL SELECT 'number/' || NEW.document_number WHERE NEW.document_number <> ''
        UNION ALL SELECT 'number/' || (c.value ->> 'number') FROM jsonb_array_elements(COALESCE(NEW.facts::jsonb -> 'citations', '[]')) AS c (value) WHERE c.value ->> 'number' <> ''
    ) AS placed;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION count_date_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.date_changes := OLD.date_changes + 1;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER articles_published AFTER INSERT ON articles FOR EACH ROW EXECUTE FUNCTION place_article();
CREATE TRIGGER articles_judged AFTER UPDATE OF theme, region, issuers, document_number, facts ON articles FOR EACH ROW EXECUTE FUNCTION place_article();
UPDATE articles SET theme = theme; -- runs the trigger for existing articles
CREATE TRIGGER articles_dated BEFORE UPDATE OF title, deadline_on ON articles FOR EACH ROW
    WHEN (NEW.title <> OLD.title OR NEW.deadline_on IS DISTINCT FROM OLD.deadline_on) EXECUTE FUNCTION count_date_change();
CREATE TRIGGER documents_dated BEFORE UPDATE OF title, effective_on, expires_on, repealed_on ON documents FOR EACH ROW
    WHEN (NEW.title <> OLD.title OR NEW.effective_on IS DISTINCT FROM OLD.effective_on OR NEW.expires_on IS DISTINCT FROM OLD.expires_on OR NEW.repealed_on IS DISTINCT FROM OLD.repealed_on)
    EXECUTE FUNCTION count_date_change();
CREATE TRIGGER articles_added AFTER INSERT ON articles FOR EACH ROW EXECUTE FUNCTION note_article();
CREATE TRIGGER articles_changed AFTER UPDATE OF url, title, facts, content, attachments, warnings, updated_at, withdrawn_at, hidden ON articles FOR EACH ROW EXECUTE FUNCTION note_article();
CREATE TRIGGER articles_removed AFTER DELETE ON articles FOR EACH ROW EXECUTE FUNCTION note_article();
CREATE TRIGGER documents_added AFTER INSERT ON documents FOR EACH ROW EXECUTE FUNCTION note_document();
CREATE TRIGGER documents_changed AFTER UPDATE OF number, title, issuers, type, level, region, theme, issued_on, published_on, effective_on, expires_on, repealed_on, superseded_on, marker, article
    ON documents FOR EACH ROW EXECUTE FUNCTION note_document();
CREATE TRIGGER relations_changed AFTER INSERT OR UPDATE ON relations FOR EACH ROW EXECUTE FUNCTION note_relation();
CREATE TRIGGER clusters_changed AFTER INSERT OR UPDATE OR DELETE ON clusters FOR EACH ROW EXECUTE FUNCTION note_cluster();
CREATE TRIGGER sources_added AFTER INSERT ON sources FOR EACH STATEMENT EXECUTE FUNCTION note_change('sources');
CREATE TRIGGER sources_changed AFTER UPDATE OF url, name, licence, theme, state ON sources FOR EACH ROW
    WHEN (NEW.url <> OLD.url OR NEW.name <> OLD.name OR NEW.licence <> OLD.licence OR NEW.theme <> OLD.theme OR NEW.state <> OLD.state) EXECUTE FUNCTION note_change('sources');
CREATE TRIGGER lists_changed AFTER INSERT OR UPDATE ON lists FOR EACH STATEMENT EXECUTE FUNCTION note_change('lists');
CREATE TRIGGER matches_changed AFTER INSERT OR DELETE ON matches FOR EACH ROW EXECUTE FUNCTION note_match();
CREATE TRIGGER issues_changed AFTER INSERT OR UPDATE OR DELETE ON issues FOR EACH STATEMENT EXECUTE FUNCTION note_change('issues');

CREATE TABLE push_requests (                            -- somebody asks our hub to begin or end pushing; not verified yet
    id            BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    mode          TEXT NOT NULL CHECK (mode IN ('subscribe', 'unsubscribe')),
    topic         TEXT NOT NULL,
    callback      TEXT NOT NULL,
    secret        TEXT NOT NULL,
    lease_seconds BIGINT NOT NULL,
    tries         BIGINT NOT NULL DEFAULT 0,
    next_at       TIMESTAMPTZ NOT NULL,                   -- when to ask the callback whether it is meant; moved on by who asks
    created_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX push_requests_next_at ON push_requests (next_at);

CREATE TABLE push_subscriptions (                       -- WebSub, where we are the hub
    id          BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    topic       TEXT NOT NULL,                          -- address of a feed of ours
    callback    TEXT NOT NULL,
    secret      TEXT NOT NULL,                          -- signs what is pushed; "": unsigned
    sent_hash   TEXT NOT NULL,                          -- of the last content that was taken
    lease_until TIMESTAMPTZ NOT NULL,
    failures    BIGINT NOT NULL DEFAULT 0,              -- in a row
    next_at     TIMESTAMPTZ NOT NULL,                     -- not before; moved on by who delivers
    last_error  TEXT NOT NULL DEFAULT '',
    created_at  TIMESTAMPTZ NOT NULL,
    UNIQUE (topic, callback)
);
CREATE INDEX push_subscriptions_next_at ON push_subscriptions (next_at);

CREATE TABLE hub_pings (                                -- the version of which each other hub was last notified
    hub     TEXT NOT NULL,
    topic   TEXT NOT NULL,
    hash    TEXT NOT NULL,
    next_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hub, topic)
);

-- +goose Down

DROP TABLE hub_pings;
DROP TABLE push_subscriptions;
DROP TABLE push_requests;
DROP TRIGGER issues_changed ON issues;
DROP TRIGGER matches_changed ON matches;
DROP TRIGGER lists_changed ON lists;
DROP TRIGGER sources_changed ON sources;
DROP TRIGGER sources_added ON sources;
DROP TRIGGER articles_removed ON articles;
DROP TRIGGER articles_changed ON articles;
DROP TRIGGER articles_added ON articles;
DROP TRIGGER clusters_changed ON clusters;
DROP TRIGGER relations_changed ON relations;
DROP TRIGGER documents_changed ON documents;
DROP TRIGGER documents_added ON documents;
DROP TRIGGER documents_dated ON documents;
DROP TRIGGER articles_dated ON articles;
DROP TRIGGER articles_judged ON articles;
DROP TRIGGER articles_published ON articles;
DROP FUNCTION count_date_change;
DROP FUNCTION place_article;
DROP FUNCTION note_cluster;
DROP FUNCTION note_relation;
DROP FUNCTION note_document;
DROP FUNCTION note_match;
DROP FUNCTION note_article;
DROP FUNCTION note_change;
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
