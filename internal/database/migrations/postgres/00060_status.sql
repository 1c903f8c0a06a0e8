-- +goose Up

-- dibao status and /metrics count the reports of the last days.
CREATE INDEX feedback_at ON feedback (at, kind);

-- +goose Down
DROP INDEX feedback_at;
