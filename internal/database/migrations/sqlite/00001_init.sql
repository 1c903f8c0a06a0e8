-- +goose Up

CREATE TABLE sources (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    url              TEXT NOT NULL UNIQUE,
    kind             TEXT NOT NULL,                        -- a kind of feed/ingest
    name             TEXT NOT NULL,
    zone             TEXT NOT NULL DEFAULT 'Asia/Shanghai',
    issuer           TEXT NOT NULL DEFAULT '',             -- the authority that runs it
    region           TEXT NOT NULL DEFAULT '',             -- GB/T 2260
    licence          TEXT NOT NULL DEFAULT 'link-only' CHECK (licence IN ('official', 'link-only', 'permitted', 'own')),
    settings         TEXT NOT NULL DEFAULT '{}',           -- ingest.Settings as JSON
    interval_seconds BIGINT NOT NULL DEFAULT 3600 CHECK (interval_seconds >= 60),
    state            TEXT NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'ok', 'quiet', 'failing', 'blocked', 'gone', 'changed', 'flood', 'paused', 'removed')),
    etag             TEXT NOT NULL DEFAULT '',
    last_modified    TEXT NOT NULL DEFAULT '',
    body_hash        TEXT NOT NULL DEFAULT '',             -- SHA-256 of the last body, hexadecimal
    failures         BIGINT NOT NULL DEFAULT 0,            -- in a row
    last_error       TEXT NOT NULL DEFAULT '',
    checked_at       TIMESTAMP,
    succeeded_at     TIMESTAMP,
    next_at          TIMESTAMP NOT NULL,                   -- when to look again
    created_at       TIMESTAMP NOT NULL
);
CREATE INDEX sources_next_at ON sources (next_at);

CREATE TABLE articles (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    source          BIGINT NOT NULL REFERENCES sources (id),
    guid            TEXT NOT NULL,
    url             TEXT NOT NULL,
    title           TEXT NOT NULL,
    kind            TEXT NOT NULL DEFAULT '',
    type            TEXT NOT NULL DEFAULT '',              -- 文种
    document_number TEXT NOT NULL DEFAULT '',              -- canonical 发文字号
    issuers         TEXT NOT NULL DEFAULT '[]',            -- JSON, the lead issuer first
    theme           TEXT NOT NULL DEFAULT '',
    region          TEXT NOT NULL DEFAULT '',
    language        TEXT NOT NULL DEFAULT '',
    published_on    TEXT,                                  -- dates are YYYY-MM-DD
    published_at    TIMESTAMP,                             -- where a time of day is known
    issued_on       TEXT,
    effective_on    TEXT,
    expires_on      TEXT,
    deadline_on     TEXT,
    summary         TEXT NOT NULL DEFAULT '',
    content         TEXT NOT NULL DEFAULT '',              -- sanitised HTML
    paragraphs      TEXT NOT NULL DEFAULT '[]',            -- JSON: the text without by-line and boilerplate
    facts           TEXT NOT NULL DEFAULT '{}',            -- policy.Facts as JSON, without the paragraphs
    evidence        TEXT NOT NULL DEFAULT '{}',            -- policy.Evidence as JSON
    attachments     TEXT NOT NULL DEFAULT '[]',
    warnings        TEXT NOT NULL DEFAULT '[]',
    text_hash       TEXT NOT NULL DEFAULT '',              -- of title and paragraphs
    page_state      TEXT NOT NULL CHECK (page_state IN ('complete', 'wanted', 'missing')),
    page_tries      BIGINT NOT NULL DEFAULT 0,
    page_next_at    TIMESTAMP,                             -- when to ask for a wanted page again
    collected_at    TIMESTAMP NOT NULL,
    updated_at      TIMESTAMP NOT NULL,                    -- the text last changed
    UNIQUE (source, guid)
);
CREATE INDEX articles_collected_at ON articles (collected_at, id);
CREATE INDEX articles_document_number ON articles (document_number) WHERE document_number <> '';
CREATE INDEX articles_url ON articles (url);
CREATE INDEX articles_updated_at ON articles (updated_at);

CREATE TABLE lists (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    slug        TEXT NOT NULL UNIQUE,
    title       TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    query       TEXT NOT NULL DEFAULT '{}',                -- subscribers.Query as JSON
    cron        TEXT NOT NULL DEFAULT '0 8 * * 1',
    zone        TEXT NOT NULL DEFAULT 'Asia/Shanghai',
    sender      TEXT NOT NULL DEFAULT '',                  -- "" is the node's mail.from
    language    TEXT NOT NULL DEFAULT 'zh',
    max_items   BIGINT NOT NULL DEFAULT 60 CHECK (max_items > 0),
    visibility  TEXT NOT NULL DEFAULT 'public' CHECK (visibility IN ('public', 'hidden')),
    created_at  TIMESTAMP NOT NULL,
    updated_at  TIMESTAMP NOT NULL,
    removed_at  TIMESTAMP
);

CREATE TABLE subscribers (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    address              TEXT NOT NULL,                    -- as it is written to
    address_key          TEXT NOT NULL UNIQUE,             -- folded: the identity
    language             TEXT NOT NULL DEFAULT 'zh',
    confirmations        BIGINT NOT NULL DEFAULT 0,        -- confirmation mails sent, ever
    last_confirmation_at TIMESTAMP,
    created_at           TIMESTAMP NOT NULL
);

CREATE TABLE subscriptions (
    subscriber   BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    list         BIGINT NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'unsubscribed')),
    created_at   TIMESTAMP NOT NULL,
    confirmed_at TIMESTAMP,
    ended_at     TIMESTAMP,
    PRIMARY KEY (subscriber, list)
);
CREATE INDEX subscriptions_list ON subscriptions (list, state, subscriber);

CREATE TABLE consents (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    subscriber   BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    list         BIGINT REFERENCES lists (id) ON DELETE CASCADE, -- NULL: the reader as a whole
    event        TEXT NOT NULL,
    at           TIMESTAMP NOT NULL,
    network      TEXT NOT NULL DEFAULT '',                 -- address block, not the address
    text_version TEXT NOT NULL DEFAULT '',                 -- which text the reader was shown
    detail       TEXT NOT NULL DEFAULT ''
);
CREATE INDEX consents_subscriber ON consents (subscriber, id);

CREATE TABLE suppressions (
    address_hash TEXT NOT NULL PRIMARY KEY,                -- HMAC of the folded address
    reason       TEXT NOT NULL,
    note         TEXT NOT NULL DEFAULT '',
    at           TIMESTAMP NOT NULL
);

CREATE TABLE secret_keys (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    secret     TEXT NOT NULL,                              -- 32 random bytes, base64
    created_at TIMESTAMP NOT NULL,
    retired_at TIMESTAMP                                   -- still checked, no longer used to sign
);

-- Articles that a list's query matched. For each list, seq grows in the order
-- of the commits.
CREATE TABLE matches (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    list       BIGINT NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    article    BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    why        TEXT NOT NULL DEFAULT '[]',                 -- JSON: what of the query matched
    matched_at TIMESTAMP NOT NULL,
    UNIQUE (list, article)
);
CREATE INDEX matches_list ON matches (list, seq);

CREATE TABLE mailings (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at     TIMESTAMP NOT NULL UNIQUE,
    state      TEXT NOT NULL CHECK (state IN ('composed', 'sending', 'paused', 'cancelled', 'done')),
    created_at TIMESTAMP NOT NULL,
    done_at    TIMESTAMP
);

CREATE TABLE issues (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    list       BIGINT NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    number     BIGINT NOT NULL,                            -- 第 N 期; 0: due, but nothing was new
    due_at     TIMESTAMP NOT NULL,
    mailing    BIGINT REFERENCES mailings (id),
    last_seq   BIGINT NOT NULL,                            -- matches up to here are dealt with
    note       TEXT NOT NULL DEFAULT '',                   -- the editor's
    created_at TIMESTAMP NOT NULL,
    UNIQUE (list, due_at)
);
CREATE UNIQUE INDEX issues_number ON issues (list, number) WHERE number > 0;

CREATE TABLE issue_items (
    issue    BIGINT NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    article  BIGINT NOT NULL REFERENCES articles (id),
    section  TEXT NOT NULL,
    why      TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (issue, article),
    UNIQUE (issue, position)
);
CREATE INDEX issue_items_article ON issue_items (article);

-- A variant is an email that several readers get; it differs only in their
-- tokens.
CREATE TABLE variants (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    mailing  BIGINT NOT NULL REFERENCES mailings (id) ON DELETE CASCADE,
    key      TEXT NOT NULL,                                -- digest of language, issues and articles
    language TEXT NOT NULL,
    issues   TEXT NOT NULL,                                -- JSON: ids of the issues it merges
    UNIQUE (mailing, key)
);

CREATE TABLE variant_items (
    variant  BIGINT NOT NULL REFERENCES variants (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    article  BIGINT NOT NULL REFERENCES articles (id),
    issue    BIGINT NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    PRIMARY KEY (variant, article)
);
CREATE INDEX variant_items_article ON variant_items (article, variant);

CREATE TABLE deliveries (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    mailing        BIGINT NOT NULL REFERENCES mailings (id),
    subscriber     BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    variant        BIGINT NOT NULL REFERENCES variants (id),
    state          TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'claimed', 'sent', 'failed', 'uncertain', 'suppressed')),
    next_at        TIMESTAMP,                              -- when to try; NULL: never again
    attempts       BIGINT NOT NULL DEFAULT 0,              -- claims so far
    handed_attempt BIGINT NOT NULL DEFAULT 0,              -- the last attempt whose final dot was sent
    uncertain      BIGINT NOT NULL DEFAULT 0 CHECK (uncertain <= 2), -- attempts handed over and never answered
    claimed_by     TEXT NOT NULL DEFAULT '',
    lease_until    TIMESTAMP,
    first_tried_at TIMESTAMP,
    done_at        TIMESTAMP,
    reply_code     BIGINT NOT NULL DEFAULT 0,
    reply          TEXT NOT NULL DEFAULT '',
    UNIQUE (mailing, subscriber)
);
CREATE INDEX deliveries_due ON deliveries (next_at, id) WHERE state IN ('waiting', 'uncertain') AND next_at IS NOT NULL;
CREATE INDEX deliveries_claimed ON deliveries (lease_until) WHERE state = 'claimed';
CREATE INDEX deliveries_mailing ON deliveries (mailing, state);
CREATE INDEX deliveries_subscriber ON deliveries (subscriber, variant);

CREATE TABLE feedback (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    delivery   BIGINT REFERENCES deliveries (id) ON DELETE CASCADE,
    subscriber BIGINT REFERENCES subscribers (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL,                              -- reply | bounce | complaint
    class      TEXT NOT NULL DEFAULT '',
    code       BIGINT NOT NULL DEFAULT 0,
    text       TEXT NOT NULL DEFAULT '',
    at         TIMESTAMP NOT NULL
);
CREATE INDEX feedback_subscriber ON feedback (subscriber, id);

-- +goose Down
DROP TABLE feedback;
DROP TABLE deliveries;
DROP TABLE variant_items;
DROP TABLE variants;
DROP TABLE issue_items;
DROP TABLE issues;
DROP TABLE mailings;
DROP TABLE matches;
DROP TABLE secret_keys;
DROP TABLE suppressions;
DROP TABLE consents;
DROP TABLE subscriptions;
DROP TABLE subscribers;
DROP TABLE lists;
DROP TABLE articles;
DROP TABLE sources;
