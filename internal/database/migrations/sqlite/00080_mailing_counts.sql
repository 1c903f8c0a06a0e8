-- +goose Up

-- How many messages a mailing has ('all'), and how many of them are in each state but waiting
-- and claimed. A count is the sum of its rows, and triggers keep it. Messages to readers whose
-- data were deleted stay counted, and nobody is named.
--
-- The slot of sent messages is the time in tens of seconds since 1970, for the rate of the last
-- minute; that of others is 0.
CREATE TABLE mailing_counts (
    mailing BIGINT NOT NULL,
    state   TEXT NOT NULL,
    slot    BIGINT NOT NULL DEFAULT 0,
    count   BIGINT NOT NULL,
    PRIMARY KEY (mailing, state, slot)
) WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER deliveries_count_insert AFTER INSERT ON deliveries BEGIN
    INSERT INTO mailing_counts (mailing, state, count) VALUES (NEW.mailing, 'all', 1)
    ON CONFLICT (mailing, state, slot) DO UPDATE SET count = count + 1;
    INSERT INTO mailing_counts (mailing, state, count) SELECT NEW.mailing, NEW.state, 1 WHERE NEW.state NOT IN ('waiting', 'claimed')
    ON CONFLICT (mailing, state, slot) DO UPDATE SET count = count + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_enter AFTER UPDATE OF state ON deliveries
WHEN NEW.state NOT IN ('waiting', 'claimed') AND NEW.state <> OLD.state BEGIN
    INSERT INTO mailing_counts (mailing, state, slot, count)
    VALUES (NEW.mailing, NEW.state, CASE NEW.state WHEN 'sent' THEN COALESCE(unixepoch(NEW.done_at) / 10, 0) ELSE 0 END, 1)
    ON CONFLICT (mailing, state, slot) DO UPDATE SET count = count + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_leave AFTER UPDATE OF state ON deliveries
WHEN OLD.state NOT IN ('waiting', 'claimed') AND NEW.state <> OLD.state BEGIN
    INSERT INTO mailing_counts (mailing, state, count) VALUES (OLD.mailing, OLD.state, -1)
    ON CONFLICT (mailing, state, slot) DO UPDATE SET count = count - 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER deliveries_count_delete AFTER DELETE ON deliveries
WHEN OLD.state IN ('waiting', 'claimed') OR OLD.state = 'uncertain' AND OLD.next_at IS NOT NULL BEGIN
    INSERT INTO mailing_counts (mailing, state, count) VALUES (OLD.mailing, 'all', -1)
    ON CONFLICT (mailing, state, slot) DO UPDATE SET count = count - 1;
    INSERT INTO mailing_counts (mailing, state, count) SELECT OLD.mailing, OLD.state, -1 WHERE OLD.state = 'uncertain'
    ON CONFLICT (mailing, state, slot) DO UPDATE SET count = count - 1;
END;
-- +goose StatementEnd

INSERT INTO mailing_counts (mailing, state, count)
SELECT mailing, state, SUM(n) FROM (
    SELECT mailing, 'all' AS state, COUNT(*) AS n FROM deliveries GROUP BY mailing
    UNION ALL SELECT mailing, state, COUNT(*) FROM deliveries WHERE state NOT IN ('waiting', 'claimed') GROUP BY mailing, state
    UNION ALL SELECT f.mailing, x.state, f.count FROM mailing_forgotten f, (SELECT 'all' AS state UNION ALL SELECT DISTINCT state FROM mailing_forgotten) x
        WHERE x.state IN ('all', f.state)) AS counted
GROUP BY mailing, state;

-- These counts include mailing_forgotten, which no release reads.
DROP TRIGGER deliveries_forgotten;

-- +goose Down
-- +goose StatementBegin
CREATE TRIGGER deliveries_forgotten AFTER DELETE ON deliveries
WHEN OLD.state IN ('sent', 'failed', 'suppressed') OR OLD.state = 'uncertain' AND OLD.next_at IS NULL BEGIN
    INSERT INTO mailing_forgotten (mailing, state, count) VALUES (OLD.mailing, OLD.state, 1)
    ON CONFLICT (mailing, state) DO UPDATE SET count = count + 1;
END;
-- +goose StatementEnd
DROP TRIGGER deliveries_count_insert;
DROP TRIGGER deliveries_count_enter;
DROP TRIGGER deliveries_count_leave;
DROP TRIGGER deliveries_count_delete;
DROP TABLE mailing_counts;
