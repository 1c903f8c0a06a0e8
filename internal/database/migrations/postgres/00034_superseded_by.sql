-- +goose Up

-- When a document is deleted, the database looks for it in this column: without
-- an index it reads the whole table each time.
CREATE INDEX documents_superseded_by ON documents (superseded_by) WHERE superseded_by IS NOT NULL;

-- +goose Down

DROP INDEX documents_superseded_by;
