-- +goose Up

-- How often the deliveries of a page of readers were made. Who makes some reads
-- it before looking at what those readers had, and counts on in the transaction
-- that stores them: if another did so meanwhile, all is looked at again.
CREATE TABLE composition (
    id      BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    version BIGINT NOT NULL
);

-- +goose Down
DROP TABLE composition;
