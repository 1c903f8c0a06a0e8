package feed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/internal/summarize"
)

// MachineSummary is a summary of an article's text by a language model. It is
// shown as such, next to dibao's own summary, and never in its place.
type MachineSummary struct {
	Language string
	Text     string
	Model    string
	MadeAt   time.Time
}

// Summarizer requests summaries of new articles from a language model, if one is
// configured. Nothing else depends on it.
type Summarizer struct {
	Store       *Store
	Ask         func(context.Context, summarize.Request) (summarize.Response, error)
	Languages   []string // languages of the summaries: zh, en
	DailyTokens int      // maximum number of tokens from midnight to midnight (UTC)
	Now         func() time.Time
	Logger      *slog.Logger
}

const (
	summarizeBatch = 10                 // texts per run
	summarizeSince = 7 * 24 * time.Hour // articles collected before that are not summarized
)

// Run requests summaries of the newest articles that have none, until there are no more,
// the day's tokens are spent, or the model fails; the next run continues.
func (s *Summarizer) Run(ctx context.Context) error {
	for _, language := range s.Languages {
		due, err := s.Store.unsummarized(ctx, language, s.Now().Add(-summarizeSince))
		if err != nil {
			return err
		}
		for _, a := range due {
			spent, err := s.Store.tokensSince(ctx, s.Now().UTC().Truncate(24*time.Hour))
			if err != nil {
				return err
			}
			if spent >= s.DailyTokens {
				s.Logger.Debug("no more summaries today", "tokens", spent, "limit", s.DailyTokens)
				return nil
			}
			out, err := s.Ask(ctx, summarize.Request{Title: a.Title(), Text: strings.Join(a.Facts.Paragraphs, "\n"), Language: language})
			switch {
			case errors.Is(err, summarize.ErrRejected):
				s.Logger.Warn("summary not used", "article", a.ID, "language", language, "error", err)
				out.Text = ""
			case err != nil:
				return fmt.Errorf("summary of article %d: %w", a.ID, err)
			}
			if err := s.Store.keepSummary(ctx, a, language, out, s.Now()); err != nil {
				return err
			}
		}
	}
	return nil
}

// unsummarized returns articles for whose text no summary was requested, newest first. Only
// articles about policy qualify.
func (st *Store) unsummarized(ctx context.Context, language string, since time.Time) ([]Article, error) {
	var all []Article
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, scanFullArticle, `SELECT `+articleColumns+textColumns+`
			FROM articles a JOIN sources s ON s.id = a.source
			WHERE a.collected_at >= $1 AND a.kind IN ('document', 'interpretation', 'consultation', 'signed-article')
			AND a.page_state = 'complete' AND a.paragraphs <> '[]' AND a.hidden = 0 AND a.text_hash <> ''
			AND NOT EXISTS (SELECT 1 FROM machine_summaries m WHERE m.text_hash = a.text_hash AND m.language = $2)
			ORDER BY a.id DESC LIMIT $3`, since.UTC(), language, summarizeBatch)
		return err
	})
	return all, err
}

func (st *Store) tokensSince(ctx context.Context, since time.Time) (tokens int, err error) {
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COALESCE(SUM(tokens), 0) FROM machine_summaries WHERE made_at >= $1`, since.UTC()).Scan(&tokens)
	})
	return tokens, err
}

// keepSummary stores a response, even one that is not used, because it cost as much.
func (st *Store) keepSummary(ctx context.Context, a Article, language string, r summarize.Response, now time.Time) error {
	return st.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO machine_summaries (text_hash, language, summary, model, tokens, made_at)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (text_hash, language) DO NOTHING`,
			a.TextHash, language, r.Text, r.Model, r.Tokens, now.UTC().Truncate(time.Microsecond))
		if err == nil { // cached pages must be rebuilt
			_, err = tx.ExecContext(ctx, `UPDATE articles SET withdrawn_at = withdrawn_at WHERE id = $1`, a.ID)
		}
		return err
	})
}

// MachineSummaries returns a model's summaries of an article's current text.
func (st *Store) MachineSummaries(ctx context.Context, a Article) ([]MachineSummary, error) {
	var all []MachineSummary
	err := st.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		all, err = database.Collect(ctx, tx, func(row database.Row) (MachineSummary, error) {
			var m MachineSummary
			err := row.Scan(&m.Language, &m.Text, &m.Model, &m.MadeAt)
			return m, err
		}, `SELECT language, summary, model, made_at FROM machine_summaries WHERE text_hash = $1 AND summary <> '' ORDER BY language`, a.TextHash)
		return err
	})
	return all, err
}
