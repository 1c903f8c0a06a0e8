-- +goose Up

-- Articles whose page was not read as a whole, to count them by source.
CREATE INDEX articles_unread ON articles (source) WHERE page_state <> 'complete';

-- +goose Down
DROP INDEX articles_unread;
