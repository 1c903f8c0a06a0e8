-- +goose Up

-- The latest link mailed to a reader to confirm an action that a link in an old
-- email must not perform.
CREATE TABLE reader_asks (
    subscriber BIGINT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('delete', 'data', 'link', 'change')),
    nonce      BIGINT NOT NULL,                          -- of the latest mail: links of earlier ones are void
    mailed     BIGINT NOT NULL,                          -- mails since one of their links was used
    asked_at   TIMESTAMP NOT NULL,
    PRIMARY KEY (subscriber, kind)
);

-- +goose Down
DROP TABLE reader_asks;
