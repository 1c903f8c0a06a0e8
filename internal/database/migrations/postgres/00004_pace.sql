-- +goose Up

ALTER TABLE sources ADD COLUMN change_seconds BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN hints TEXT NOT NULL DEFAULT '{}';
ALTER TABLE sources ADD COLUMN proxy TEXT NOT NULL DEFAULT '';
ALTER TABLE sources ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
CREATE TABLE hub_subscriptions (
    source      BIGINT PRIMARY KEY REFERENCES sources (id),
    hub         TEXT NOT NULL,
    topic       TEXT NOT NULL,
    token       TEXT NOT NULL UNIQUE,
    secret      TEXT NOT NULL,
    verified_at TIMESTAMPTZ,
    lease_until TIMESTAMPTZ,
    tried_at    TIMESTAMPTZ NOT NULL,
    last_error  TEXT NOT NULL DEFAULT ''
);

-- +goose Down

DROP TABLE hub_subscriptions;
ALTER TABLE sources DROP COLUMN user_agent;
ALTER TABLE sources DROP COLUMN proxy;
ALTER TABLE sources DROP COLUMN hints;
ALTER TABLE sources DROP COLUMN change_seconds;
