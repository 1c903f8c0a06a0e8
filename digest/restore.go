package digest

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"dibao/subscribers"
)

// PauseAll pauses every mailing that is composed or being sent and returns their number. After
// a restore it is unknown which of their emails have been sent since the backup was made, and a
// reader should not get one twice. The same applies to channels, and to reminders that are due,
// which are composed for that purpose.
func (s *Service) PauseAll(ctx context.Context) (n int64, err error) {
	if _, err := s.composeReminders(ctx); err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE mailings SET state = 'paused' WHERE state IN ('sending', 'composed')`)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err == nil {
		_, err = s.Channels.PauseAll(ctx)
	}
	return n, err
}

// DueList is a list whose due time has passed.
type DueList struct {
	List subscribers.List
	At   time.Time // for an as-it-happens list: now
}

// DueSinceBackup returns, right after a restore, the lists of which an issue
// may have been sent since the backup was made: those whose due time passed,
// and as-it-happens lists that might have had one. The backup has no record of
// such issues.
func (s *Service) DueSinceBackup(ctx context.Context) ([]DueList, error) {
	lists, err := s.subscribers.Lists(ctx)
	if err != nil {
		return nil, err
	}
	var due []DueList
	for _, l := range lists {
		at, ok, err := s.dueAt(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("schedule of list %s: %w", l.Slug, err)
		}
		if l.AsItHappens {
			last, err := s.lastDue(ctx, l)
			if err != nil {
				return nil, err
			}
			at, ok = s.now(), !last.After(s.now().Add(-l.MinGap))
		}
		if ok {
			due = append(due, DueList{l, at})
		}
	}
	return due, nil
}

// HoldLists makes the issues of lists wait for an admin, as after a restore: the node
// may have sent their contents after the backup was made.
func (s *Service) HoldLists(ctx context.Context, lists []DueList) error {
	for _, d := range lists {
		d.List.Hold = true
		if _, err := s.subscribers.UpdateList(ctx, d.List); err != nil {
			return fmt.Errorf("hold list %s: %w", d.List.Slug, err)
		}
	}
	return nil
}
