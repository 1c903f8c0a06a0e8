-- +goose Up

ALTER TABLE push_subscriptions ADD COLUMN host TEXT NOT NULL DEFAULT '';    -- of the callback; "": of before this column
ALTER TABLE push_subscriptions ADD COLUMN network TEXT NOT NULL DEFAULT ''; -- that last answered there, /24 or /48; "": not known
CREATE INDEX push_subscriptions_host ON push_subscriptions (host);
CREATE INDEX push_subscriptions_network ON push_subscriptions (network);
DROP TABLE push_requests; -- now nothing is stored until the callback has confirmed

-- +goose Down
CREATE TABLE push_requests (                            -- somebody asks our hub to begin or end pushing; not verified yet
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    mode          TEXT NOT NULL CHECK (mode IN ('subscribe', 'unsubscribe')),
    topic         TEXT NOT NULL,
    callback      TEXT NOT NULL,
    secret        TEXT NOT NULL,
    lease_seconds BIGINT NOT NULL,
    tries         BIGINT NOT NULL DEFAULT 0,
    next_at       TIMESTAMP NOT NULL,                   -- when to ask the callback whether it is meant; moved on by who asks
    created_at    TIMESTAMP NOT NULL
);
CREATE INDEX push_requests_next_at ON push_requests (next_at);
DROP INDEX push_subscriptions_network;
DROP INDEX push_subscriptions_host;
ALTER TABLE push_subscriptions DROP COLUMN network;
ALTER TABLE push_subscriptions DROP COLUMN host;
