-- +goose Up

-- How the collections of a day ended, for the calendar of the admin's pages. Rows
-- are kept for 90 days.
CREATE TABLE source_days (
    day         TEXT NOT NULL,                                            -- YYYY-MM-DD in the zone of the source
    source      BIGINT NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
    state       TEXT NOT NULL,                                            -- the worst of the day
    collections BIGINT NOT NULL CHECK (collections > 0),
    failures    BIGINT NOT NULL CHECK (failures BETWEEN 0 AND collections),
    PRIMARY KEY (day, source)
);

-- +goose Down
DROP TABLE source_days;
