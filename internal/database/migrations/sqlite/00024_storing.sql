-- +goose Up

-- Articles that are stored and wait for the search index
-- (feed/search/queue.go).
CREATE TABLE search_pending (
    article BIGINT NOT NULL PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
    stamp   BIGINT NOT NULL                             -- of the text that waits, as its process knows it
);

-- 1: the code that stored the article has also added it to its feeds and
-- recorded the change, for many articles at once. With a trigger for each row,
-- this took as long as storing the rest of the article.
ALTER TABLE articles ADD COLUMN placed BIGINT NOT NULL DEFAULT 0 CHECK (placed IN (0, 1));
DROP TRIGGER articles_published;
-- +goose StatementBegin
CREATE TRIGGER articles_published AFTER INSERT ON articles WHEN NEW.placed = 0 BEGIN
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

-- Data derived from articles is stored by transactions that record a change
-- first.
DROP TRIGGER documents_added;
DROP TRIGGER relations_added;
DROP TRIGGER clusters_added;

-- +goose Down

-- +goose StatementBegin
CREATE TRIGGER clusters_added AFTER INSERT ON clusters BEGIN
    INSERT INTO changes (topic, version) VALUES ('clusters/' || (NEW.cluster % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER relations_added AFTER INSERT ON relations BEGIN
    INSERT INTO changes (topic, version) VALUES ('relations/' || (NEW.article % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_added AFTER INSERT ON documents BEGIN
    INSERT INTO changes (topic, version) VALUES ('documents/' || (NEW.id % 16), 1) ON CONFLICT (topic) DO UPDATE SET version = version + 1;
END;
-- +goose StatementEnd
DROP TRIGGER articles_published;
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
ALTER TABLE articles DROP COLUMN placed;
DROP TABLE search_pending;
