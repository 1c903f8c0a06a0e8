-- +goose Up

CREATE INDEX articles_hidden ON articles (id) WHERE hidden = 1;

-- +goose Down

DROP INDEX articles_hidden;
