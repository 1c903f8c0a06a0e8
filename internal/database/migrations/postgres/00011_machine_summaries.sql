-- +goose Up

-- Summaries by a language model, if one is configured. The key is the hash of
-- the text and not the article, so that a repost is not paid for again.
CREATE TABLE machine_summaries (
    text_hash TEXT NOT NULL,                 -- articles.text_hash
    language  TEXT NOT NULL,
    summary   TEXT NOT NULL,                 -- '' of an answer that was not to be used: it is not asked for again
    model     TEXT NOT NULL,
    tokens    INTEGER NOT NULL,
    made_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (text_hash, language)
);
CREATE INDEX machine_summaries_made_at ON machine_summaries (made_at);

-- +goose Down
DROP TABLE machine_summaries;
