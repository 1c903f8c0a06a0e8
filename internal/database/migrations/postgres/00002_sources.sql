-- +goose Up

ALTER TABLE sources ADD COLUMN theme TEXT NOT NULL DEFAULT '';            -- the folder of OPML
ALTER TABLE sources ADD COLUMN usual_items BIGINT NOT NULL DEFAULT 0;     -- how many items its list usually has
ALTER TABLE sources ADD COLUMN moved_to TEXT NOT NULL DEFAULT '';         -- where permanent redirects lead
ALTER TABLE sources ADD COLUMN moves BIGINT NOT NULL DEFAULT 0;           -- in a row, to that address
ALTER TABLE sources ADD COLUMN news_at TIMESTAMPTZ;                              -- its newest article came
ALTER TABLE articles ADD COLUMN held BIGINT NOT NULL DEFAULT 0 CHECK (held IN (0, 1)); -- came in a flood: not mailed until released
CREATE INDEX articles_held ON articles (source) WHERE held = 1;

-- +goose Down

DROP INDEX articles_held;
ALTER TABLE articles DROP COLUMN held;
ALTER TABLE sources DROP COLUMN news_at;
ALTER TABLE sources DROP COLUMN moves;
ALTER TABLE sources DROP COLUMN moved_to;
ALTER TABLE sources DROP COLUMN usual_items;
ALTER TABLE sources DROP COLUMN theme;
