-- +goose Up

-- Emails sent to addresses whose owners have not confirmed yet, for the limits.
-- Rows are deleted after a day.
CREATE TABLE request_mails (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TIMESTAMP NOT NULL,
    network TEXT NOT NULL,                                 -- of who asked: /24 of IPv4, /48 of IPv6
    wide    TEXT NOT NULL,                                 -- /16, /32
    domain  TEXT NOT NULL                                  -- HMAC of the domain that the mail went to
);
CREATE INDEX request_mails_at ON request_mails (at, network, wide, domain);
DROP INDEX consents_mailed;

-- The pages of a list that is not public are found only by its key.
ALTER TABLE lists ADD COLUMN page_key TEXT NOT NULL DEFAULT '';
UPDATE lists SET page_key = lower(hex(randomblob(16)));

-- +goose Down
ALTER TABLE lists DROP COLUMN page_key;
CREATE INDEX consents_mailed ON consents (at, network) WHERE event = 'confirmation mailed';
DROP TABLE request_mails;
