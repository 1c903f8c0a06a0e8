-- +goose Up

-- The processes that work on this database. A node renews its row every ten
-- seconds, by the clock of the database server, so that a node whose own clock
-- is wrong neither seems to have ended nor thinks that others have.
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

-- Signals to all nodes: when the count of a signal grows, each node runs the
-- job of that name.
CREATE TABLE node_signals (
    name  TEXT NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL
);

-- The requests that all nodes together may make to a host at the same time, and
-- the node that makes each.
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
