-- +goose Up

ALTER TABLE sources ADD COLUMN change_seconds BIGINT NOT NULL DEFAULT 0;  -- mean time between collections with news
ALTER TABLE sources ADD COLUMN hints TEXT NOT NULL DEFAULT '{}';          -- what it says of how to read it, JSON
ALTER TABLE sources ADD COLUMN proxy TEXT NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
CREATE TABLE hub_subscriptions (                                               -- WebSub, where we are the subscriber
    source      BIGINT PRIMARY KEY REFERENCES sources (id),
    hub         TEXT NOT NULL,
    topic       TEXT NOT NULL,
    token       TEXT NOT NULL UNIQUE,                                          -- in the callback's address
    secret      TEXT NOT NULL,                                                 -- signs what the hub pushes
    verified_at TIMESTAMP,                                                     -- by the hub; NULL until it asked
    lease_until TIMESTAMP,
    tried_at    TIMESTAMP NOT NULL,
    last_error  TEXT NOT NULL DEFAULT ''
);

-- +goose Down

DROP TABLE hub_subscriptions;
ALTER TABLE sources DROP COLUMN user_agent;
ALTER TABLE sources DROP COLUMN proxy;
ALTER TABLE sources DROP COLUMN hints;
ALTER TABLE sources DROP COLUMN change_seconds;
