-- +goose Up

-- A document that goes is looked for among those that its version superseded: without
-- an index the whole table is read for each.
CREATE INDEX documents_superseded_by ON documents (superseded_by) WHERE superseded_by IS NOT NULL;

-- +goose Down

DROP INDEX documents_superseded_by;
