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
CREATE FUNCTION count_forgotten() RETURNS trigger AS $$
BEGIN
    INSERT INTO mailing_forgotten AS f (mailing, state, count) VALUES (OLD.mailing, OLD.state, 1)
    ON CONFLICT (mailing, state) DO UPDATE SET count = f.count + 1;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
CREATE TRIGGER deliveries_forgotten AFTER DELETE ON deliveries FOR EACH ROW
WHEN (OLD.state IN ('sent', 'failed', 'suppressed') OR OLD.state = 'uncertain' AND OLD.next_at IS NULL) EXECUTE FUNCTION count_forgotten();

-- +goose Down
DROP TRIGGER deliveries_forgotten ON deliveries;
DROP FUNCTION count_forgotten;
DROP TABLE mailing_forgotten;
