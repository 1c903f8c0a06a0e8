-- +goose Up

-- What a language model made of a text, if one is configured. By the hash of the
-- text and not by article: a repost is not paid for twice.
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
