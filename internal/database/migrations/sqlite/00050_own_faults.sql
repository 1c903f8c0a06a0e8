-- +goose Up

-- Servers that refuse our mail before a reader is named: a relay by HOST:PORT
-- or, with direct delivery, a group of domains (digest/delivery/pause.go).
CREATE TABLE send_pauses (
    name        TEXT NOT NULL PRIMARY KEY,
    tries       BIGINT NOT NULL,                        -- refusals in a row; 0: it accepts again
    since       TIMESTAMP NOT NULL,                    -- the first of them
    next_try_at TIMESTAMP NOT NULL,
    reply       TEXT NOT NULL,                          -- the last, with its codes and its phase
    told_at     TIMESTAMP,                             -- the admin was told
    resumed_at  TIMESTAMP                              -- when it last accepted again
);

-- Each suppression that a reply or a report asked for, by mailing, so that an
-- admin decides if there are many at one domain (digest/delivery/strike.go).
CREATE TABLE strikes (
    mailing    BIGINT NOT NULL REFERENCES mailings (id) ON DELETE CASCADE,
    subscriber BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    domain     TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('suppressed', 'pending')),
    note       TEXT NOT NULL DEFAULT '',                -- what the server said
    at         TIMESTAMP NOT NULL,
    PRIMARY KEY (mailing, subscriber)
);
CREATE INDEX strikes_domain ON strikes (mailing, domain);
CREATE INDEX strikes_pending ON strikes (domain, subscriber) WHERE state = 'pending';

ALTER TABLE feedback ADD COLUMN phase TEXT NOT NULL DEFAULT ''; -- the SMTP command that was refused
CREATE INDEX feedback_unknown ON feedback (at) WHERE class = 'unknown' AND phase = 'rcpt';

-- +goose Down
DROP INDEX feedback_unknown;
ALTER TABLE feedback DROP COLUMN phase;
DROP TABLE strikes;
DROP TABLE send_pauses;
