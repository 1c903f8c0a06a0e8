-- +goose Up

-- The node that adds the scheduled jobs, and the last minute for which it did,
-- counted from 1970 in UTC. A node claims a minute and adds its jobs in one
-- transaction.
CREATE TABLE node_leader (
    id     BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    node   TEXT NOT NULL,                              -- '' after it has resigned
    minute BIGINT NOT NULL
);

-- +goose Down
DROP TABLE node_leader;
