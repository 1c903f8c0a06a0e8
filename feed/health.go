package feed

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"dibao/feed/ingest"
	"dibao/feed/ingest/answer"
	"dibao/internal/database"
	"dibao/internal/fetch"
	"dibao/internal/markup"
)

// What tells a healthy source from one that only seems so.
const (
	suspectFrom   = 10                   // items that a list had usually, from which a much shorter one is suspect
	suspectShare  = 4                    // it has less than a fourth of them
	floodItems    = 5                    // old texts that come in one day
	floodAge      = 365 * 24 * time.Hour // from which a text is old
	freshAge      = 45 * 24 * time.Hour  // since its publication, up to which it may come into an issue
	movesToFollow = 3                    // permanent redirects in a row, after which the new address counts
	quietAfter    = 180 * 24 * time.Hour // without a new article
)

// titleStart is how much of a title tells one article from another, in characters.
const titleStart = 8

// showsTitle reports whether the text of a page carries the title under which it is
// listed.
func showsTitle(p ingest.Page, charset, listed string) bool {
	start := []rune(strings.Join(strings.Fields(listed), ""))
	if len(start) < titleStart {
		return false
	}
	text, _ := ingest.Decode(p.Body, p.ContentType, charset)
	var shown strings.Builder
	for _, line := range markup.Lines(text) {
		for word := range strings.FieldsSeq(line) {
			shown.WriteString(word)
		}
	}
	return strings.Contains(shown.String(), string(start[:titleStart]))
}

// errSuspect says that a list has far less than it used to.
type errSuspect struct{ have, usual int }

func (e *errSuspect) Error() string {
	return fmt.Sprintf("the list has %d items where it usually has %d; what it has was stored; look at the page and set its selectors", e.have, e.usual)
}

// stateAfter names the state that an error puts a source into.
func stateAfter(err error) State {
	var answered *answer.Error
	var status *fetch.StatusError
	var suspect *errSuspect
	switch {
	case errors.As(err, &answered) && answered.Kind == answer.Wall:
		return StateBlocked
	case errors.As(err, &answered) && answered.Kind != answer.Fault, errors.As(err, &suspect):
		return StateChanged
	case errors.As(err, &status) && status.Status == http.StatusGone:
		return StateGone
	}
	return StateFailing
}

// noteItems compares how many items a list has with how many it usually has. The
// figure follows a shrinking list slowly, so that a site that was rebuilt is
// suspect until somebody looked, or for about ten collections.
func noteItems(src *Source, items int) error {
	usual := src.UsualItems
	src.UsualItems = max(items, usual-max(1, usual/10))
	if usual >= suspectFrom && items*suspectShare < usual {
		return &errSuspect{items, usual}
	}
	return nil
}

// noteMove follows a permanent redirect once it was seen three times in a row:
// one alone may be a slip (RFC 9110 §15.4.2).
func noteMove(src *Source, resp *fetch.Response) (moved bool) {
	if !resp.Permanent || resp.URL == src.URL {
		src.MovedTo, src.Moves = "", 0
		return false
	}
	if resp.URL != src.MovedTo {
		src.MovedTo, src.Moves = resp.URL, 0
	}
	src.Moves++
	return src.Moves >= movesToFollow
}

// spread moves a source's next collection by up to a tenth of its interval, by
// its address, so that sources that were added together don't all start at once.
func spread(src Source, interval time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(src.URL))
	return interval + interval/10*time.Duration(h.Sum32()%1000)/1000
}

// holdFlood holds back what looks like an archive put online again: five or more
// texts made over a year ago that came from one source in a day (DOMAIN 2.7) and
// would pass for new, by their date or for want of one. They stay stored, searchable and in the feeds; no list takes them until an
// admin releases them. It returns how many are held.
func (c *Collector) holdFlood(ctx context.Context, src Source) (held int64, err error) {
	now := c.Store.Now()
	const flood = `source = $1 AND held = 0 AND collected_at >= $2 AND issued_on < $3 AND (published_on IS NULL OR published_on = '' OR published_on >= $4)`
	args := []any{src.ID, now.Add(-24 * time.Hour), now.Add(-floodAge).Format(time.DateOnly), now.Add(-freshAge).Format(time.DateOnly)}
	var ids []int64
	err = c.Store.db.Read(ctx, func(tx *sql.Tx) (err error) {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT id FROM articles WHERE `+flood+` ORDER BY id`, args...)
		return err
	})
	if err != nil || len(ids) < floodItems {
		return 0, err
	}
	return c.Store.setHeld(ctx, ids, true)
}

// heldAtOnce is how many articles one transaction holds or releases: each is
// written anew with its whole text.
const heldAtOnce = 20

// setHeld holds articles back from lists, or releases them, and returns how many it
// changed.
func (st *Store) setHeld(ctx context.Context, ids []int64, held bool) (total int64, err error) {
	for some := range slices.Chunk(ids, heldAtOnce) {
		list, err := json.Marshal(some)
		if err != nil {
			return total, err
		}
		var n int64
		err = st.db.Write(ctx, func(tx *sql.Tx) error {
			res, err := tx.ExecContext(ctx, `UPDATE articles SET held = $2 WHERE held <> $2 AND id IN (`+st.db.Dialect().IDs("$1")+`)`, string(list), oneIf(held))
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if total += n; err != nil {
			return total, err
		}
	}
	return total, nil
}

// heldOf counts the articles of a source that are held back.
func (st *Store) heldOf(ctx context.Context, source int64) (n int64, err error) {
	err = st.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM articles WHERE source = $1 AND held = 1`, source).Scan(&n)
	})
	return n, err
}

// ReleaseSource gives articles that a flood held back to the lists, and returns
// how many there were.
func (st *Store) ReleaseSource(ctx context.Context, id int64) (released int64, err error) {
	var ids []int64
	err = st.db.Read(ctx, func(tx *sql.Tx) (err error) {
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT id FROM articles WHERE source = $1 AND held = 1 ORDER BY id`, id)
		return err
	})
	if err != nil {
		return 0, err
	}
	if released, err = st.setHeld(ctx, ids, false); err != nil {
		return released, err
	}
	err = st.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sources SET state = 'ok', last_error = '' WHERE id = $1 AND state = 'flood'`, id)
		return err
	})
	return released, err
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

// Advice says in one sentence what an admin should do about a source; "" where
// there is nothing to do.
func (s Source) Advice() string {
	ref := strconv.FormatInt(s.ID, 10)
	if s.advice != "" && s.Failures > 0 && s.State != StatePaused {
		return s.advice
	}
	switch s.State {
	case StateFailing:
		return "it is tried again by itself; if this lasts, look at its address"
	case StateBlocked:
		return "the site refuses us: ask its administrators to admit this server, or collect more rarely"
	case StateChanged:
		return "the page was rebuilt: compare with dibao source test " + ref + ", then dibao source edit " + ref + " --item …"
	case StateGone:
		return "the site took it away for good: dibao source remove " + ref
	case StateFlood:
		return "old texts came at once and are held back: look at them, then dibao source release " + ref
	case StateQuiet:
		return "nothing new for half a year: see whether the site moved"
	case StatePaused:
		return "dibao source resume " + ref + " starts it again"
	}
	return ""
}
