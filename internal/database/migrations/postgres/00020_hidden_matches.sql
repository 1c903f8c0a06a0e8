-- +goose Up

-- Articles that an admin hides or shows again are matched with the lists.
CREATE TRIGGER articles_unmatched_hidden AFTER UPDATE OF hidden ON articles FOR EACH ROW
    WHEN (OLD.hidden <> NEW.hidden) EXECUTE FUNCTION article_is_unmatched();

-- No issues wait for a subscription that has ended, even if it begins again.
-- +goose StatementBegin
CREATE FUNCTION subscription_is_not_carried() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM carried WHERE subscriber = NEW.subscriber AND list = NEW.list;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER subscriptions_carried AFTER UPDATE OF state ON subscriptions FOR EACH ROW
    WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION subscription_is_not_carried();

-- +goose Down

DROP TRIGGER subscriptions_carried ON subscriptions;
DROP FUNCTION subscription_is_not_carried();
DROP TRIGGER articles_unmatched_hidden ON articles;
