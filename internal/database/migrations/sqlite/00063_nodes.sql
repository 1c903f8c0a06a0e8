-- +goose Up

-- The processes that work on this database. A node renews its row every ten
-- seconds; the clock of the database server counts, so that a node whose own is
-- wrong neither seems gone nor takes others for gone.
CREATE TABLE nodes (
    id         TEXT NOT NULL PRIMARY KEY, -- random, of one process
    host       TEXT NOT NULL,
    pid        BIGINT NOT NULL,
    version    TEXT NOT NULL,
    roles      TEXT NOT NULL,             -- of web, collect, deliver; separated by commas
    started_at TIMESTAMP NOT NULL,
    seen_at    TIMESTAMP NOT NULL,
    clock_ms   BIGINT NOT NULL            -- how far its clock is ahead of the database server's
);

-- A signal wakes all nodes: each runs what the signal names when its count grows.
CREATE TABLE node_signals (
    name  TEXT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL
);

-- Who has the turns of a host that all nodes together ask for pages.
CREATE TABLE node_turns (
    host       TEXT NOT NULL,
    turn       BIGINT NOT NULL,           -- from 0, below the requests at a time to one host
    node       TEXT NOT NULL,
    free_at    TIMESTAMP NOT NULL,               -- when another may take it; while a request is under way its latest end
    PRIMARY KEY (host, turn)
);

-- +goose Down
DROP TABLE node_turns;
DROP TABLE node_signals;
DROP TABLE nodes;
