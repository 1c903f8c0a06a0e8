-- +goose Up

-- PostgreSQL has an index here of a kind that SQLite does not have.
SELECT 1;

-- +goose Down
SELECT 1;
