-- +goose Up

-- When an admin added or imported the reader; NULL: the reader confirmed.
-- Emails say this instead of "you subscribed to and confirmed".
ALTER TABLE subscriptions ADD COLUMN added_at TIMESTAMP;
UPDATE subscriptions SET added_at = (
    SELECT MAX(c.at) FROM consents c WHERE c.subscriber = subscriptions.subscriber AND c.list = subscriptions.list AND c.event IN ('added', 'imported'))
WHERE state = 'confirmed' AND NOT EXISTS (
    SELECT 1 FROM consents c WHERE c.subscriber = subscriptions.subscriber AND c.list = subscriptions.list AND c.event = 'confirmed');

-- +goose Down
ALTER TABLE subscriptions DROP COLUMN added_at;
