-- +goose Up

-- SQLite cannot change a CHECK: create the column again.
ALTER TABLE lists ADD COLUMN seen_by TEXT NOT NULL DEFAULT 'public' CHECK (seen_by IN ('public', 'hidden', 'invitation'));
UPDATE lists SET seen_by = visibility;
ALTER TABLE lists DROP COLUMN visibility;
ALTER TABLE lists RENAME COLUMN seen_by TO visibility;
ALTER TABLE lists ADD COLUMN as_it_happens BIGINT NOT NULL DEFAULT 0 CHECK (as_it_happens IN (0, 1)); -- an issue whenever something is new; cron is not looked at
ALTER TABLE lists ADD COLUMN min_gap_seconds BIGINT NOT NULL DEFAULT 0 CHECK (min_gap_seconds >= 0);  -- between two issues
ALTER TABLE lists ADD COLUMN working_days BIGINT NOT NULL DEFAULT 0 CHECK (working_days IN (0, 1));   -- not on weekends and holidays
ALTER TABLE lists ADD COLUMN welcome BIGINT NOT NULL DEFAULT 0 CHECK (welcome IN (0, 1));             -- new readers get the last issue at once
ALTER TABLE lists ADD COLUMN hold BIGINT NOT NULL DEFAULT 0 CHECK (hold IN (0, 1));                   -- issues wait for an admin

ALTER TABLE subscribers ADD COLUMN format TEXT NOT NULL DEFAULT 'html' CHECK (format IN ('html', 'text'));
ALTER TABLE subscribers ADD COLUMN paused_until TEXT;                                                 -- YYYY-MM-DD: the first day with mail again
ALTER TABLE subscribers ADD COLUMN wants_empty BIGINT NOT NULL DEFAULT 0 CHECK (wants_empty IN (0, 1)); -- a note when nothing is new

ALTER TABLE subscriptions ADD COLUMN themes TEXT NOT NULL DEFAULT '[]';                               -- JSON: only these of the list; [] is all
ALTER TABLE subscriptions ADD COLUMN regions TEXT NOT NULL DEFAULT '[]';
ALTER TABLE subscriptions ADD COLUMN frequency TEXT NOT NULL DEFAULT 'issue' CHECK (frequency IN ('issue', 'weekly', 'monthly'));
ALTER TABLE subscriptions ADD COLUMN welcome_due BIGINT NOT NULL DEFAULT 0 CHECK (welcome_due IN (0, 1)); -- confirmed, and the welcome issue is not composed yet
CREATE INDEX subscriptions_welcome ON subscriptions (list, subscriber) WHERE welcome_due = 1;

CREATE INDEX consents_mailed ON consents (at, network) WHERE event = 'confirmation mailed';           -- the limits of the opt-in

-- How many confirmation requests were sent to an address whose owner never
-- answered and whose reader was deleted.
CREATE TABLE confirmation_counts (
    address_hash TEXT NOT NULL PRIMARY KEY,
    mailed       BIGINT NOT NULL,
    last_at      TIMESTAMP NOT NULL
);

CREATE TABLE address_changes (
    subscriber  BIGINT NOT NULL PRIMARY KEY REFERENCES subscribers (id) ON DELETE CASCADE,
    nonce       BIGINT NOT NULL,                         -- of the latest request: links of an earlier one are void
    address     TEXT NOT NULL,
    asked_at    TIMESTAMP NOT NULL,
    old_said_at TIMESTAMP,                               -- confirmed from the old mailbox
    new_said_at TIMESTAMP                                -- confirmed from the new mailbox
);

ALTER TABLE feedback ADD COLUMN status TEXT NOT NULL DEFAULT '';                                      -- enhanced code
ALTER TABLE feedback ADD COLUMN effect TEXT NOT NULL DEFAULT '';                                      -- what it changed
ALTER TABLE feedback ADD COLUMN report TEXT;                                                          -- digest of the report and reader: read once
CREATE UNIQUE INDEX feedback_report ON feedback (report) WHERE report IS NOT NULL;

CREATE TABLE audit (                                     -- what admins changed; never an address
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     TIMESTAMP NOT NULL,
    actor  TEXT NOT NULL,                                -- user of the system, or token:NAME
    action TEXT NOT NULL,                                -- group verb
    target TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT ''
);

CREATE TABLE api_tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    hash       TEXT NOT NULL UNIQUE,                     -- SHA-256 of the token
    scopes     TEXT NOT NULL,                            -- JSON
    created_at TIMESTAMP NOT NULL,
    used_at    TIMESTAMP,
    revoked_at TIMESTAMP
);
CREATE UNIQUE INDEX api_tokens_name ON api_tokens (name) WHERE revoked_at IS NULL;

-- +goose Down

DROP TABLE api_tokens;
DROP TABLE audit;
DROP INDEX feedback_report;
ALTER TABLE feedback DROP COLUMN report;
ALTER TABLE feedback DROP COLUMN effect;
ALTER TABLE feedback DROP COLUMN status;
DROP TABLE address_changes;
DROP TABLE confirmation_counts;
DROP INDEX consents_mailed;
DROP INDEX subscriptions_welcome;
ALTER TABLE subscriptions DROP COLUMN welcome_due;
ALTER TABLE subscriptions DROP COLUMN frequency;
ALTER TABLE subscriptions DROP COLUMN regions;
ALTER TABLE subscriptions DROP COLUMN themes;
ALTER TABLE subscribers DROP COLUMN wants_empty;
ALTER TABLE subscribers DROP COLUMN paused_until;
ALTER TABLE subscribers DROP COLUMN format;
ALTER TABLE lists DROP COLUMN hold;
ALTER TABLE lists DROP COLUMN welcome;
ALTER TABLE lists DROP COLUMN working_days;
ALTER TABLE lists DROP COLUMN min_gap_seconds;
ALTER TABLE lists DROP COLUMN as_it_happens;
ALTER TABLE lists ADD COLUMN seen_by TEXT NOT NULL DEFAULT 'public' CHECK (seen_by IN ('public', 'hidden'));
UPDATE lists SET seen_by = CASE visibility WHEN 'public' THEN 'public' ELSE 'hidden' END;
ALTER TABLE lists DROP COLUMN visibility;
ALTER TABLE lists RENAME COLUMN seen_by TO visibility;
