-- +goose Up

-- What a node got from an ACME server, for use by all nodes: certificates with
-- their keys, the account, and proofs that a name is ours. With SQLite these
-- are files.
CREATE TABLE node_certificates (
    name       TEXT NOT NULL PRIMARY KEY,
    content    TEXT NOT NULL,      -- PEM; empty while a node orders it
    node       TEXT NOT NULL,      -- who wrote or orders it
    free_at    TIMESTAMPTZ NOT NULL -- when another may order it, if the content is still empty
);

-- +goose Down
DROP TABLE node_certificates;
