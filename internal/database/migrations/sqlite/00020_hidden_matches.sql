-- +goose Up

-- Articles that an admin hides or shows again are matched with the lists.
-- +goose StatementBegin
CREATE TRIGGER articles_unmatched_hidden AFTER UPDATE OF hidden ON articles WHEN OLD.hidden <> NEW.hidden
BEGIN
    INSERT INTO unmatched (article) VALUES (NEW.id);
END;
-- +goose StatementEnd

-- No issues wait for a subscription that has ended, even if it begins again.
-- +goose StatementBegin
CREATE TRIGGER subscriptions_carried AFTER UPDATE OF state ON subscriptions WHEN OLD.state <> NEW.state
BEGIN
    DELETE FROM carried WHERE subscriber = NEW.subscriber AND list = NEW.list;
END;
-- +goose StatementEnd

-- +goose Down

DROP TRIGGER subscriptions_carried;
DROP TRIGGER articles_unmatched_hidden;
