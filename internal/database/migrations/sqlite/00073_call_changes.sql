-- +goose Up

-- Identifiers of calls, and of the earlier calls that a notice names: numbers,
-- titles, projects, subjects.
CREATE TABLE call_keys (
    key     TEXT NOT NULL,
    article BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    changes BIGINT NOT NULL CHECK (changes IN (0, 1)), -- it names the call that it changes
    PRIMARY KEY (key, article)
);
CREATE INDEX call_keys_article ON call_keys (article);

-- Notices that postpone, correct or cancel an earlier call.
CREATE TABLE call_notices (
    article   BIGINT NOT NULL PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
    kind      TEXT NOT NULL,
    until_on  TEXT,                                          -- the new last day
    evidence  TEXT NOT NULL,                                 -- the sentence that says so
    target    BIGINT REFERENCES articles (id) ON DELETE SET NULL, -- the call; null: not known for sure
    linked_by TEXT NOT NULL DEFAULT ''                       -- number, project, title or subject
);
CREATE INDEX call_notices_target ON call_notices (target);

-- The current state of calls that notices have changed.
CREATE TABLE call_states (
    article  BIGINT NOT NULL PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
    notice   BIGINT NOT NULL REFERENCES articles (id) ON DELETE CASCADE, -- the latest
    kind     TEXT NOT NULL,
    was_on   TEXT,             -- the last day before the latest notice
    until_on TEXT,             -- the last day now
    changes  BIGINT NOT NULL,  -- how many notices there are
    at       TIMESTAMP NOT NULL
);
CREATE INDEX call_states_until ON call_states (until_on);
CREATE INDEX call_states_at ON call_states (at);
CREATE INDEX call_states_notice ON call_states (notice);

-- +goose Down
DROP TABLE call_states;
DROP TABLE call_notices;
DROP TABLE call_keys;
