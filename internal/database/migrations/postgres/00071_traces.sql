-- +goose Up

-- If traces are recorded: the parents of later spans, of collections that found
-- something new and of mailings.
CREATE TABLE traces (
    about    TEXT NOT NULL,        -- source or mailing
    id       BIGINT NOT NULL,
    begun_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    parent   TEXT NOT NULL,        -- as the header traceparent has it
    PRIMARY KEY (about, id, begun_at)
);
CREATE INDEX traces_ended ON traces (ended_at);

-- +goose Down
DROP TABLE traces;
