-- +goose Up

-- The index contains source and day, so that the rates of sources are counted
-- without reading the rows, whose texts are long.
DROP INDEX articles_collected_at;
CREATE INDEX articles_collected_at ON articles (collected_at, id, source, published_on);

-- +goose Down

DROP INDEX articles_collected_at;
CREATE INDEX articles_collected_at ON articles (collected_at, id);
