-- +goose Up

-- Calls that readers starred.
CREATE TABLE stars (
    subscriber BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    article    BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    remind     BIGINT NOT NULL DEFAULT 0 CHECK (remind IN (0, 1)), -- the reader wants reminders by email
    at         TIMESTAMP NOT NULL,
    PRIMARY KEY (subscriber, article)
);
CREATE INDEX stars_article ON stars (article);

-- Reminders that were composed: one for each last day and number of days before
-- it.
CREATE TABLE reminders (
    subscriber BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    article    BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    last_on    TEXT NOT NULL,
    days       BIGINT NOT NULL, -- before the last day
    mailing    BIGINT NOT NULL,
    PRIMARY KEY (subscriber, article, last_on, days)
);
CREATE INDEX reminders_article ON reminders (article);

-- +goose Down
DROP TABLE reminders;
DROP TABLE stars;
