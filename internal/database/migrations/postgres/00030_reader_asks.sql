-- +goose Up

-- The latest mailed link by which a reader confirms what a link of an old mail must not do.
CREATE TABLE reader_asks (
    subscriber BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('delete', 'data', 'link', 'change')),
    nonce      BIGINT NOT NULL,                          -- of the latest mail: links of earlier ones are void
    mailed     BIGINT NOT NULL,                          -- mails since one of their links was used
    asked_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (subscriber, kind)
);

-- +goose Down
DROP TABLE reader_asks;
