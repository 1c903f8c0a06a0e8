package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dibao/internal/database"
)

// BeginCollection records that a collection of a source begins.
func (st *Store) BeginCollection(ctx context.Context, s *Source) error {
	s.BegunAt = st.Now()
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		return oneRow(tx.ExecContext(ctx, `UPDATE sources SET begun_at = $2, crashes = $3 WHERE id = $1`, s.ID, s.BegunAt, s.Crashes))
	})
}

// StopCollection records that a collection was interrupted, which says nothing about its
// source.
func (st *Store) StopCollection(ctx context.Context, source int64) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sources SET begun_at = NULL WHERE id = $1`, source)
		return err
	})
}

// SaveCollection stores the result of a collection of s, and counts it for its day.
func (st *Store) SaveCollection(ctx context.Context, s Source) error {
	hints, err := json.Marshal(s.Hints)
	if err != nil {
		return fmt.Errorf("warnings of %s: %w", s.URL, err)
	}
	var warnings *string
	if len(s.Warnings) > 0 {
		text := database.JSON(s.Warnings)
		warnings = &text
	}
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		if err := noteDay(ctx, tx, s); err != nil {
			return err
		}
		return oneRow(tx.ExecContext(ctx, `
		UPDATE sources SET state = CASE WHEN state IN ('paused', 'removed') THEN state ELSE $2 END,
			etag = $3, last_modified = $4, body_hash = $5, failures = $6, last_error = $7,
			checked_at = $8, succeeded_at = $9, next_at = $10, usual_items = $11, moved_to = $12, moves = $13, news_at = $15, change_seconds = $16, hints = $17,
			begun_at = NULL, crashes = $18, advice = $19, warnings = $20,
			url = CASE WHEN NOT EXISTS (SELECT 1 FROM sources o WHERE o.url = $14 AND o.id <> $1) THEN $14 ELSE url END
		WHERE id = $1`,
			s.ID, s.State, s.ETag, s.LastModified, s.BodyHash, s.Failures, s.LastError,
			s.CheckedAt, nullTime(s.SucceededAt), s.NextAt,
			s.UsualItems, s.MovedTo, s.Moves, s.URL, nullTime(s.NewsAt), int64(s.ChangeEvery/time.Second), string(hints), s.Crashes, s.LastAdvice, warnings))
	})
}

// SaveNews stores when a source last had news, and how often it has news.
func (st *Store) SaveNews(ctx context.Context, s Source) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sources SET news_at = $2, change_seconds = $3 WHERE id = $1`,
			s.ID, nullTime(s.NewsAt), int64(s.ChangeEvery/time.Second))
		return err
	})
}

// PauseSource stops collecting a source until ResumeSource.
func (st *Store) PauseSource(ctx context.Context, id int64) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		return oneRow(tx.ExecContext(ctx, `UPDATE sources SET state = 'paused' WHERE id = $1 AND state <> 'removed'`, id))
	})
}

// ResumeSource makes a source that is paused, gone or failing due at once.
func (st *Store) ResumeSource(ctx context.Context, id int64) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		return oneRow(tx.ExecContext(ctx, `UPDATE sources SET state = 'new', failures = 0, last_error = '', usual_items = 0, next_at = $2
			WHERE id = $1 AND state <> 'removed'`, id, st.Now()))
	})
}

// Advice returns a sentence that says what an admin should do about a source; "" if there
// is nothing to do.
func (s Source) Advice() string {
	ref := strconv.FormatInt(s.ID, 10)
	if s.LastAdvice != "" && s.Failures > 0 && s.State != StatePaused {
		return s.LastAdvice
	}
	switch s.State {
	case StateFailing:
		if strings.Contains(s.LastError, "dibao source edit ") {
			return "" // the error says what to do
		}
		return "dibao tries again automatically; if this persists, check the address"
	case StateBlocked:
		return "the site refuses us: ask its administrators to allow access from this server, or collect less often"
	case StateChanged:
		return "the page was redesigned: compare with dibao source test " + ref + ", then dibao source edit " + ref + " --item …"
	case StateGone:
		return "the site has removed it permanently: dibao source remove " + ref
	case StateFlood:
		return "many old texts came at once and are held back: check them, then run: dibao source release " + ref
	case StateQuiet:
		return "nothing new for half a year: see whether the site moved"
	case StatePaused:
		return "dibao source resume " + ref + " starts it again"
	}
	return ""
}
