-- +goose Up

-- How many messages of a mailing went to readers whose data were deleted since,
-- by outcome: the figures of the mailing stay the same, and nobody is named.
CREATE TABLE mailing_forgotten (
    mailing BIGINT NOT NULL REFERENCES mailings (id) ON DELETE CASCADE,
    state   TEXT NOT NULL,
    count   BIGINT NOT NULL,
    PRIMARY KEY (mailing, state)
);

-- +goose StatementBegin
CREATE TRIGGER deliveries_forgotten AFTER DELETE ON deliveries
WHEN OLD.state IN ('sent', 'failed', 'suppressed') OR OLD.state = 'uncertain' AND OLD.next_at IS NULL BEGIN
    INSERT INTO mailing_forgotten (mailing, state, count) VALUES (OLD.mailing, OLD.state, 1)
    ON CONFLICT (mailing, state) DO UPDATE SET count = count + 1;
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER deliveries_forgotten;
DROP TABLE mailing_forgotten;
