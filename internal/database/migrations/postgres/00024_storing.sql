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
DROP TRIGGER articles_published ON articles;
DROP TRIGGER articles_added ON articles;
CREATE TRIGGER articles_published AFTER INSERT ON articles FOR EACH ROW WHEN (NEW.placed = 0) EXECUTE FUNCTION place_article();
CREATE TRIGGER articles_added AFTER INSERT ON articles FOR EACH ROW WHEN (NEW.placed = 0) EXECUTE FUNCTION note_article();

-- Data derived from articles is stored by transactions that record a change
-- first.
DROP TRIGGER documents_added ON documents;
DROP TRIGGER relations_changed ON relations;
DROP TRIGGER clusters_changed ON clusters;
CREATE TRIGGER relations_changed AFTER UPDATE ON relations FOR EACH ROW EXECUTE FUNCTION note_relation();
CREATE TRIGGER clusters_changed AFTER UPDATE OR DELETE ON clusters FOR EACH ROW EXECUTE FUNCTION note_cluster();

-- +goose Down

DROP TRIGGER clusters_changed ON clusters;
DROP TRIGGER relations_changed ON relations;
CREATE TRIGGER clusters_changed AFTER INSERT OR UPDATE OR DELETE ON clusters FOR EACH ROW EXECUTE FUNCTION note_cluster();
CREATE TRIGGER relations_changed AFTER INSERT OR UPDATE ON relations FOR EACH ROW EXECUTE FUNCTION note_relation();
CREATE TRIGGER documents_added AFTER INSERT ON documents FOR EACH ROW EXECUTE FUNCTION note_document();
DROP TRIGGER articles_added ON articles;
DROP TRIGGER articles_published ON articles;
CREATE TRIGGER articles_published AFTER INSERT ON articles FOR EACH ROW EXECUTE FUNCTION place_article();
CREATE TRIGGER articles_added AFTER INSERT ON articles FOR EACH ROW EXECUTE FUNCTION note_article();
ALTER TABLE articles DROP COLUMN placed;
DROP TABLE search_pending;
