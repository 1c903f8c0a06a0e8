package digest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"dibao/internal/database"
	"dibao/policy"
	"dibao/subscribers"
	"dibao/templates"
)

// maxNote is the maximum length of an editor's note, in characters.
const maxNote = 2000

// Drop marks a held issue as published without sending it: it is in the archive, its
// articles count as issued, and no email contains it.
func (s *Service) Drop(ctx context.Context, issue Issue) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error { return unhold(ctx, tx, issue) })
}

// unhold marks a held issue as not held; the error is NotHeld if it was not held.
func unhold(ctx context.Context, tx *sql.Tx, issue Issue) error {
	res, err := tx.ExecContext(ctx, `UPDATE issues SET held = 0 WHERE id = $1 AND held = 1`, issue.ID)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); n == 0 || err != nil {
		return cmp.Or(err, NotHeld(issue))
	}
	return nil
}

// NotHeld says that an issue can't be released or dropped any more.
func NotHeld(issue Issue) error {
	return fmt.Errorf("issue %d of %s is not held: it was sent or dropped", issue.Number, issue.List.Slug)
}

// SetNote sets the editor's note of an issue. An email that was already composed contains
// it only if it has not been rendered yet; see [Service.CountStarted].
func (s *Service) SetNote(ctx context.Context, issue int64, note string) error {
	note = templates.NoteText(note)
	if n := utf8.RuneCountInString(note); n > maxNote || !utf8.ValidString(note) {
		return fmt.Errorf("the note has %d characters; write at most %d of plain text", n, maxNote)
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE issues SET note = $2 WHERE id = $1`, issue, note)
		return err
	})
}

// CountStarted returns how many emails of a mailing have already been sent or are being sent: they
// lack a note that is set now.
func (s *Service) CountStarted(ctx context.Context, mailing int64) (n int, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM deliveries WHERE mailing = $1 AND attempts > 0`, mailing).Scan(&n)
	})
	return n, err
}

// HeldIssues returns the issues that wait for an admin, oldest first, with their lists.
func (s *Service) HeldIssues(ctx context.Context) ([]Issue, error) {
	var held []int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		held, err = database.Collect(ctx, tx, database.ScanOne[int64], `SELECT id FROM issues WHERE held = 1 ORDER BY due_at, id`)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.issuesByID(ctx, held)
}

// remindEvery is how often an admin is reminded of a waiting issue.
const remindEvery = 24 * time.Hour

// RemindHeld returns the held issues of which the admin was not reminded for a day, and
// records the reminder, so that only one of several nodes sends it.
func (s *Service) RemindHeld(ctx context.Context) ([]Issue, error) {
	var ids []int64
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		var err error
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			UPDATE issues SET reminded_at = $1 WHERE held = 1 AND (reminded_at IS NULL OR reminded_at <= $2) RETURNING id`,
			s.now(), s.now().Add(-remindEvery))
		return err
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	issues, err := s.issuesByID(ctx, ids)
	for _, i := range issues {
		s.opts.Logger.Warn("an issue waits for an admin; send it with: dibao issue send "+i.List.Slug, "list", i.List.Slug, "issue", i.Number, "articles", i.Count)
	}
	return issues, err
}

// pin sets the place of an item of a held issue according to the current pin of its
// article.
func (it *IssueItem) pin() {
	switch {
	case it.Event != "":
	case it.Article.Pinned:
		it.Priority, it.Reason, it.Pinned = mustLead, leadPinned, true
	case it.Reason == leadPinned:
		it.Priority, it.Reason, it.Pinned = 0, "", false
	}
}

// storePins applies pin to the stored items of an issue that is about to be sent.
func storePins(ctx context.Context, tx *sql.Tx, issue int64) error {
	items, err := database.Collect(ctx, tx, func(r database.Row) (it IssueItem, err error) {
		return it, r.Scan(&it.Article.ID, &it.Event, &it.Priority, &it.Reason, &it.Article.Pinned)
	}, `SELECT i.article, i.event, i.standing, i.reason, a.pinned = 1 FROM issue_items i JOIN articles a ON a.id = i.article WHERE i.issue = $1`, issue)
	for _, it := range items {
		was := it.Reason
		it.pin()
		if err == nil && it.Reason != was {
			_, err = tx.ExecContext(ctx, `UPDATE issue_items SET standing = $4, reason = $5 WHERE issue = $1 AND article = $2 AND event = $3`,
				issue, it.Article.ID, it.Event, it.Priority, it.Reason)
		}
	}
	return err
}

// ErrNothingNew says that a reader would get no email now.
var ErrNothingNew = errors.New("there is nothing new for this reader")

// PreviewReader renders the email that a reader would get now if all of their lists were
// due, or returns ErrNothingNew; Later of the Mail is set in any case. For a list with a held issue it uses that issue, because
// the reader gets it next.
func (s *Service) PreviewReader(ctx context.Context, reader subscribers.Reader) (Mail, error) {
	lists, err := s.subscribers.Lists(ctx)
	if err != nil {
		return Mail{}, err
	}
	c, err := s.newChooser(ctx, 0, s.now(), nil)
	if err != nil {
		return Mail{}, err
	}
	held, err := s.HeldIssues(ctx)
	if err != nil {
		return Mail{}, err
	}
	for _, l := range lists {
		if c.zones[l.ID], err = time.LoadLocation(l.Zone); err != nil {
			return Mail{}, err
		}
		if i := slices.IndexFunc(held, func(i Issue) bool { return i.List.ID == l.ID }); i >= 0 {
			if c.current[l.ID], err = s.composedIssue(ctx, held[i]); err != nil {
				return Mail{}, err
			}
			continue
		}
		draft, err := s.next(ctx, l)
		if err != nil {
			return Mail{}, err
		}
		items, next := draft.items, Issue{ID: -l.ID, List: l, DueAt: s.now(), Backfill: draft.backfill} // without a row
		last, err := s.Issues(ctx, l.ID, 1)
		if err != nil {
			return Mail{}, err
		}
		if next.Number = 1; len(last) > 0 {
			next.Number += last[0].Number
		}
		if len(items) == 0 {
			next.Number = 0
		}
		notices, err := s.notices(ctx, items)
		if err != nil {
			return Mail{}, err
		}
		c.current[l.ID] = &composedIssue{next, items, notices}
	}
	if err := c.findPrior(ctx); err != nil {
		return Mail{}, err
	}
	if err := c.load(ctx, []subscribers.Reader{reader}, reader.ID-1, reader.ID); err != nil {
		return Mail{}, err
	}
	later := make(map[int64]policy.Date)
	for _, list := range reader.Lists {
		if c.zones[list] != nil && !c.takesMail(reader, list) {
			later[list] = c.mailFrom(reader, list)
		}
	}
	got := c.choose(reader).content
	if got == nil {
		return Mail{Later: later}, ErrNothingNew
	}
	e := edited{due: s.now(), language: got.language, format: got.format}
	composedIssues := make(map[int64]*composedIssue)
	for _, x := range c.current {
		composedIssues[x.issue.ID] = x
	}
	for _, all := range c.older {
		for _, x := range all {
			composedIssues[x.issue.ID] = x
		}
	}
	for _, id := range got.issues {
		e.issues = append(e.issues, composedIssues[id].issue)
	}
	for _, want := range got.items {
		for _, it := range composedIssues[want.Issue].items {
			if it.Article.ID == want.Article && it.Event == want.Event {
				it.Issue, it.Chosen = want.Issue, want.Chosen
				it.Concern = composedIssues[want.Issue].notices.Concern(want.Article, want.Match)
				e.items = append(e.items, it)
			}
		}
	}
	var inMail []int64
	for _, i := range e.issues {
		inMail = append(inMail, i.List.ID)
	}
	m, err := s.mailOf(e, addedAt(reader, inMail))
	m.Later = later
	m.Held = slices.DeleteFunc(slices.Clone(e.issues), func(i Issue) bool { return !i.Held })
	return m, err
}

// MailOfIssue renders the mail of an existing issue as a reader without
// preferences gets it.
func (s *Service) MailOfIssue(ctx context.Context, issue Issue, language string) (Mail, error) {
	e, err := s.editedIssue(ctx, issue, language)
	if err != nil {
		return Mail{}, err
	}
	return s.mailOf(e, time.Time{})
}

// editedIssue is a composed issue for a reader who gets all of it.
func (s *Service) editedIssue(ctx context.Context, issue Issue, language string) (edited, error) {
	x, err := s.composedIssue(ctx, issue)
	if err != nil {
		return edited{}, err
	}
	for i := range x.items {
		x.items[i].Issue = issue.ID
	}
	due := issue.DueAt
	if issue.Held { // its mailing is created when it is released
		due = s.now()
	}
	return edited{due: due, language: language, format: subscribers.HTML, issues: []Issue{issue}, items: x.items}, nil
}
