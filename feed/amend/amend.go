// Package amend links notices that move, correct or cancel an earlier call to that
// call, and stores the state of each changed call: its last day before and after.
//
// A link requires something that both texts contain: a document number, the number of a
// project, a title, or the same subject of the same issuer. If several calls match, none is
// linked. The order in which the texts arrive does not matter.
package amend

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/policy"
	"dibao/policy/call"
)

// StoredArticle is what linking needs to know about a newly stored article.
type StoredArticle struct {
	Article int64
	IsNew   bool
	Keys    []string     // what identifies its call, or what its notice mentions; see KeyOf
	Notice  *call.Change // nil means that it changes no call
}

// The kinds of keys, most reliable first.
const (
	ByNumber  = "number"
	ByProject = "project"
	ByTitle   = "title"
	BySubject = "subject"
)

// ByEdit stands for the kind of key if a site changed the call in its own text.
const ByEdit = "edit"

var kinds = []string{ByNumber, ByProject, ByTitle, BySubject}

// KeyOf returns the stored form of a key: its hash if the value is long, "" if the value is
// empty.
func KeyOf(kind, value string) string {
	if value == "" {
		return ""
	}
	if len(value) > maxKey {
		sum := sha256.Sum256([]byte(value))
		value = hex.EncodeToString(sum[:])
	}
	return kind + ":" + value
}

// maxKey is the maximum number of bytes of a value that is stored as it is.
const maxKey = 400

// Store stores the keys and notices of articles. It links these notices, and earlier
// notices that waited for one of these calls.
func Store(ctx context.Context, tx *sql.Tx, dialect database.Dialect, now time.Time, articles []StoredArticle) error {
	var known, notices []int64
	var rows [][]any
	var wanted []string // keys of calls; earlier notices may wait for them
	for _, a := range articles {
		if !a.IsNew {
			known = append(known, a.Article)
		}
		changes := 0
		if a.Notice != nil {
			changes = 1
			notices = append(notices, a.Article)
		}
		slices.Sort(a.Keys)
		for _, key := range slices.Compact(a.Keys) {
			if key == "" {
				continue
			}
			rows = append(rows, []any{key, a.Article, changes})
			if changes == 0 {
				wanted = append(wanted, key)
			}
		}
	}
	s := store{tx, dialect, now}
	moved, err := s.forget(ctx, known)
	if err != nil || len(rows)+len(moved) == 0 {
		return err
	}
	if err := insertKeys.Run(ctx, tx, dialect, rows); err != nil {
		return err
	}
	for _, a := range articles {
		if a.Notice == nil {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO call_notices (article, kind, until_on, evidence) VALUES ($1, $2, $3, $4)`,
			a.Article, string(a.Notice.Kind), a.Notice.Until, a.Notice.Evidence); err != nil {
			return err
		}
	}
	waiting, err := s.waiting(ctx, wanted)
	if err != nil {
		return err
	}
	notices = append(notices, waiting...)
	for range maxRounds {
		if moved, err = s.link(ctx, notices, moved); err != nil || len(moved) == 0 {
			return err
		}
		// Once a call is open longer, a later notice may mean it.
		if notices, err = s.stillWaiting(ctx, moved); err != nil || len(notices) == 0 {
			return err
		}
		moved = nil
	}
	return nil
}

// maxRounds limits how often notices are linked again because a call is open longer.
const maxRounds = 5

var insertKeys = database.Insertion{
	Into: `INSERT INTO call_keys (key, article, changes)`, Columns: 3, After: `ON CONFLICT DO NOTHING`,
	Postgres: `INSERT INTO call_keys (key, article, changes) SELECT value ->> 0, (value ->> 1)::bigint, (value ->> 2)::bigint
		FROM jsonb_array_elements($1::jsonb) ON CONFLICT DO NOTHING`,
}

type store struct {
	tx      *sql.Tx
	dialect database.Dialect
	now     time.Time
}

// forget removes what was stored about articles, and returns the calls that they
// changed.
func (s store) forget(ctx context.Context, articles []int64) (targets []int64, err error) {
	if len(articles) == 0 {
		return nil, nil
	}
	list := database.JSON(articles)
	ids := s.dialect.IDs("$1")
	if targets, err = database.Collect(ctx, s.tx, database.ScanOne[int64], `SELECT DISTINCT target FROM call_notices WHERE target IS NOT NULL AND article IN (`+ids+`)`, list); err != nil {
		return nil, err
	}
	for _, statement := range []string{`DELETE FROM call_keys WHERE article IN (`, `DELETE FROM call_notices WHERE article IN (`} {
		if _, err := s.tx.ExecContext(ctx, statement+ids+`)`, list); err != nil {
			return nil, err
		}
	}
	return targets, nil
}

// waiting returns the stored notices that mention one of the keys.
func (s store) waiting(ctx context.Context, keys []string) ([]int64, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	return database.Collect(ctx, s.tx, database.ScanOne[int64], `SELECT DISTINCT article FROM call_keys
		WHERE changes = 1 AND key IN (`+s.dialect.Texts("$1")+`) ORDER BY article LIMIT $2`, database.JSON(keys), maxLinks)
}

// maxLinks limits how many notices one transaction links, and how many calls are considered
// for a notice: a key that more calls share does not identify any of them.
const maxLinks = 200

// link finds the calls of notices, and updates the states of these calls and of those
// in moved. It returns the calls whose notices it found.
func (s store) link(ctx context.Context, notices, moved []int64) (linked []int64, err error) {
	slices.Sort(notices)
	for _, id := range slices.Compact(notices) {
		var before sql.Null[int64]
		if err := s.tx.QueryRowContext(ctx, `SELECT target FROM call_notices WHERE article = $1`, id).Scan(&before); err != nil {
			return nil, err
		}
		target, by, err := s.find(ctx, id)
		if err != nil {
			return nil, err
		}
		if before.Valid {
			moved = append(moved, before.V)
		}
		if target != 0 {
			moved = append(moved, target)
			if target != before.V {
				linked = append(linked, target)
			}
		}
		if _, err := s.tx.ExecContext(ctx, `UPDATE call_notices SET target = $2, linked_by = $3 WHERE article = $1`,
			id, sql.Null[int64]{V: target, Valid: target != 0}, by); err != nil {
			return nil, err
		}
	}
	slices.Sort(moved)
	for _, target := range slices.Compact(moved) {
		if err := s.state(ctx, target); err != nil {
			return nil, err
		}
	}
	return linked, nil
}

// stillWaiting returns the notices without a call that mention a key of one of the calls.
func (s store) stillWaiting(ctx context.Context, calls []int64) ([]int64, error) {
	return database.Collect(ctx, s.tx, database.ScanOne[int64], `SELECT DISTINCT k.article FROM call_keys k JOIN call_notices n ON n.article = k.article
		WHERE k.changes = 1 AND n.target IS NULL AND k.key IN (SELECT key FROM call_keys WHERE changes = 0 AND article IN (`+s.dialect.IDs("$1")+`))
		ORDER BY k.article LIMIT $2`, database.JSON(calls), maxLinks)
}

// candidate is a call that a notice may mean.
type candidate struct {
	article, source, cluster int64 // cluster is article if it is in none
	issuers                  []string
	region                   string
	published, deadline      policy.Date
	kind, value              string // kind and value of the key
}

func scanCandidate(r database.Row) (c candidate, err error) {
	var key, issuers string
	if err = r.Scan(&key, &c.article, &c.source, &issuers, &c.region, &c.published, &c.deadline, &c.cluster); err != nil {
		return c, err
	}
	c.kind, c.value, _ = strings.Cut(key, ":")
	return c, json.Unmarshal([]byte(issuers), &c.issuers)
}

const candidateColumns = `SELECT k.key, a.id, a.source, a.issuers, a.region, a.published_on, COALESCE(s.until_on, a.deadline_on), COALESCE(c.cluster, a.id)
	FROM call_keys k JOIN articles a ON a.id = k.article LEFT JOIN clusters c ON c.article = a.id LEFT JOIN call_states s ON s.article = a.id`

// find returns the call that a notice changes and the kind of key that links them; 0 if
// none is known or several may be meant.
func (s store) find(ctx context.Context, id int64) (target int64, by string, err error) {
	all, err := database.Collect(ctx, s.tx, scanCandidate, candidateColumns+` WHERE k.article = $1 LIMIT 1`, id)
	if err != nil || len(all) == 0 {
		return 0, "", err
	}
	notice := all[0]
	found, err := database.Collect(ctx, s.tx, scanCandidate, candidateColumns+` WHERE k.changes = 0 AND k.article <> $1 AND a.hidden = 0 AND a.withdrawn_at IS NULL
		AND k.key IN (SELECT key FROM call_keys WHERE article = $1) ORDER BY a.id DESC LIMIT $2`, id, maxLinks)
	if err != nil {
		return 0, "", err
	}
	for _, kind := range kinds {
		same := slices.DeleteFunc(slices.Clone(found), func(c candidate) bool { return c.kind != kind || !mayMean(notice, c) })
		if len(same) == 0 {
			continue
		}
		if target = only(same); target == 0 { // several candidates: only those count that are still open
			target = only(slices.DeleteFunc(same, func(c candidate) bool { return !isOpen(notice, c) }))
		}
		if target == 0 {
			return 0, "", nil
		}
		return target, kind, nil
	}
	return 0, "", nil
}

const (
	// maxAge is the maximum age in days of a call that a notice can change.
	maxAge = 550
	// graceDays is how many days after the last day a notice may still move it.
	graceDays = 15
	// minUnique is the length in characters from which the number of a project counts
	// as unique: many bodies call their first purchase of a year CG2026-001.
	minUnique = 12
)

// mayMean reports whether a notice can be about a call: the call is older, has the same
// issuer or site, and does not belong to another region.
func mayMean(notice, c candidate) bool {
	if !notice.published.IsZero() && !c.published.IsZero() && (notice.published.Before(c.published) || c.published.AddDays(maxAge).Before(notice.published)) {
		return false
	}
	if !strings.HasPrefix(notice.region, c.region) && !strings.HasPrefix(c.region, notice.region) {
		return false
	}
	if c.kind == ByProject && len(c.value) >= minUnique { // agencies publish on behalf of buyers
		return true
	}
	related := notice.source == c.source || slices.ContainsFunc(notice.issuers, func(i string) bool { return slices.Contains(c.issuers, i) })
	return related && (c.kind != BySubject || isOpen(notice, c))
}

// isOpen reports whether the last day of a call was still ahead or unknown when a notice
// was published.
func isOpen(notice, c candidate) bool {
	return c.deadline.IsZero() || notice.published.IsZero() || !c.deadline.AddDays(graceDays).Before(notice.published)
}

// only returns the first article if all candidates have the same text, 0 if they differ or
// there are none.
func only(all []candidate) int64 {
	if len(all) == 0 || slices.ContainsFunc(all, func(c candidate) bool { return c.cluster != all[0].cluster }) {
		return 0
	}
	return slices.MinFunc(all, func(a, b candidate) int { return int(a.article - b.article) }).article
}

// state stores the state of a call, for all articles with its text.
func (s store) state(ctx context.Context, target int64) error {
	all, err := changesOf(ctx, s.tx, target)
	if err != nil {
		return err
	}
	articles, err := database.Collect(ctx, s.tx, database.ScanOne[int64], `SELECT article FROM clusters WHERE cluster = (SELECT cluster FROM clusters WHERE article = $1)`, target)
	if err != nil {
		return err
	}
	if !slices.Contains(articles, target) {
		articles = append(articles, target)
	}
	for _, id := range articles {
		if len(all) == 0 {
			if _, err := s.tx.ExecContext(ctx, `DELETE FROM call_states WHERE article = $1`, id); err != nil {
				return err
			}
			continue
		}
		last := all[len(all)-1]
		// The time stays the same if nothing changes, so that nothing is sent again.
		if _, err := s.tx.ExecContext(ctx, `INSERT INTO call_states (article, notice, kind, was_on, until_on, changes, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (article) DO UPDATE SET notice = excluded.notice, kind = excluded.kind, was_on = excluded.was_on, until_on = excluded.until_on,
				changes = excluded.changes, at = CASE WHEN call_states.notice = excluded.notice THEN call_states.at ELSE excluded.at END`,
			id, last.Notice, string(last.Kind), last.Was, last.Until, len(all), s.now); err != nil {
			return err
		}
	}
	return nil
}

// Event returns the key under which emails record a change by a notice; each change is
// mailed once.
func Event(notice int64) string { return eventPrefix + strconv.FormatInt(notice, 10) }

const eventPrefix = "change/"

// NoticeOf returns the notice of an event, 0 for other kinds of events.
func NoticeOf(event string) int64 {
	text, ok := strings.CutPrefix(event, eventPrefix)
	if !ok {
		return 0
	}
	id, _ := strconv.ParseInt(text, 10, 64)
	return id
}

// EditEvent returns the key under which emails record that a site changed the last day of a call in
// its text, given the first and the last revision of the text since the call was sent.
func EditEvent(first, last int64) string { return fmt.Sprintf("%s%d-%d", editPrefix, first, last) }

const editPrefix = "edit/"

// EditOf returns the revisions of an event; ok is false for other kinds of events.
func EditOf(event string) (first, last int64, ok bool) {
	_, err := fmt.Sscanf(event, editPrefix+"%d-%d", &first, &last)
	return first, last, err == nil
}

// ChangesCall reports whether an event is a change to a call: by a notice, or in its text.
func ChangesCall(event string) bool {
	return NoticeOf(event) != 0 || strings.HasPrefix(event, editPrefix)
}

// Restate computes the states of the calls that these notices changed again. Call it in the
// transaction that withdraws a notice: a withdrawn notice no longer changes its call.
func Restate(ctx context.Context, tx *sql.Tx, dialect database.Dialect, now time.Time, notices []int64) error {
	targets, err := database.Collect(ctx, tx, database.ScanOne[int64], `SELECT DISTINCT target FROM call_notices
		WHERE target IS NOT NULL AND article IN (`+dialect.IDs("$1")+`)`, database.JSON(notices))
	for _, target := range targets {
		if err == nil {
			err = store{tx, dialect, now}.state(ctx, target)
		}
	}
	return err
}
