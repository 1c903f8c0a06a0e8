-- +goose Up

-- Chat groups that get the issues of lists. The keys of their services are in
-- files; only the path of the file is stored here.
CREATE TABLE channels (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    list        BIGINT NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    address     TEXT NOT NULL,            -- of the server; '': it is in the file
    room        TEXT NOT NULL,
    secret_file TEXT NOT NULL,            -- its path
    private     BIGINT NOT NULL CHECK (private IN (0, 1)), -- may be in our own network
    key         TEXT NOT NULL UNIQUE,     -- random; in the ids of its messages
    created_at  TIMESTAMP NOT NULL
);
CREATE INDEX channels_list ON channels (list);

-- The outcome of each issue in each channel.
CREATE TABLE channel_deliveries (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    channel     BIGINT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    issue       BIGINT NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    mailing     BIGINT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'sent', 'failed', 'uncertain', 'paused', 'cancelled')),
    attempts    BIGINT NOT NULL DEFAULT 0,
    uncertain   BIGINT NOT NULL DEFAULT 0, -- attempts that were handed over and not answered
    handed      BIGINT NOT NULL DEFAULT 0 CHECK (handed IN (0, 1)), -- the service may have the message of this attempt
    claimed_by  TEXT NOT NULL DEFAULT '',
    lease_until TIMESTAMP,
    next_at     TIMESTAMP,
    first_at    TIMESTAMP,                -- first attempt
    done_at     TIMESTAMP,
    reply       TEXT NOT NULL DEFAULT '',
    UNIQUE (channel, issue)
);
CREATE INDEX channel_deliveries_due ON channel_deliveries (next_at) WHERE state = 'waiting';
CREATE INDEX channel_deliveries_claimed ON channel_deliveries (claimed_by) WHERE state = 'claimed';
CREATE INDEX channel_deliveries_mailing ON channel_deliveries (mailing);
CREATE INDEX channel_deliveries_issue ON channel_deliveries (issue);

-- When a group may get the next message, of any list and from any node.
CREATE TABLE node_channel_turns (
    target  TEXT NOT NULL PRIMARY KEY,
    free_at TIMESTAMP NOT NULL
);

-- +goose Down
DROP TABLE node_channel_turns;
DROP TABLE channel_deliveries;
DROP TABLE channels;
