-- +goose Up

ALTER TABLE sources ADD COLUMN begun_at TIMESTAMPTZ; -- when the collection began that has not ended; NULL: none
ALTER TABLE sources ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0); -- collections that never ended, since the last success

-- +goose Down
ALTER TABLE sources DROP COLUMN crashes;
ALTER TABLE sources DROP COLUMN begun_at;
