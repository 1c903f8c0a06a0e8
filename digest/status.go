package digest

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"dibao/digest/delivery"
	"dibao/internal/database"
	"dibao/subscribers"
)

// statusWindow is the period for which a status counts deliveries and reports.
const statusWindow = 7 * 24 * time.Hour

// Status is a snapshot of composing and delivering.
type Status struct {
	Lists         []ListStatus
	Deliveries    map[string]int   // by state, of mailings due in the last seven days
	OldestWaiting time.Time        // due time of the oldest mailing with unsent messages; zero means none
	Reports       map[string]int   // bounces, complaints and other reports of the last seven days, by kind
	HeldIssues    int              // composed, and waiting for an admin to release them
	Pending       int              // readers whose suppression waits for an admin
	Paused        []delivery.Pause // servers that refuse our mail
}

// ListStatus is a list with the time of its next issue.
type ListStatus struct {
	List         subscribers.List
	NextAt       time.Time // zero means that the list is sent as it happens
	OverdueSince time.Time // a due time that passed without an issue; zero means none
	Matched      *int      // articles that no issue has processed yet; nil if the query is new and no article has been matched with it yet
}

// Status returns a snapshot of composing and delivering.
func (s *Service) Status(ctx context.Context) (Status, error) {
	var st Status
	lists, err := s.subscribers.Lists(ctx)
	if err != nil {
		return st, err
	}
	for _, l := range lists {
		one, err := s.listStatus(ctx, l)
		if err != nil {
			return st, err
		}
		st.Lists = append(st.Lists, one)
	}
	since := s.now().Add(-statusWindow)
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		deliveries, errDeliveries := delivery.States(ctx, tx, since)
		reports, errReports := database.CollectMap(ctx, tx, database.ScanPair[string, int], `SELECT kind, COUNT(*) FROM feedback WHERE kind <> 'reply' AND at >= $1 GROUP BY kind`, since)
		st.Deliveries, st.Reports = deliveries, reports
		err := errors.Join(errDeliveries, errReports,
			tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM issues WHERE held = 1`).Scan(&st.HeldIssues),
			tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM strikes WHERE state = 'pending'`).Scan(&st.Pending))
		if err != nil {
			return err
		}
		err = tx.QueryRowContext(ctx, `SELECT due_at FROM mailings WHERE state = 'sending' AND EXISTS (
			SELECT 1 FROM deliveries d WHERE d.mailing = mailings.id AND d.state IN ('waiting', 'uncertain') AND d.next_at IS NOT NULL)
			ORDER BY due_at LIMIT 1`).Scan(&st.OldestWaiting)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return st, err
	}
	st.Paused, err = s.Pauses(ctx)
	return st, err
}

func (s *Service) listStatus(ctx context.Context, l subscribers.List) (ListStatus, error) {
	one := ListStatus{List: l}
	next, err := s.NextDue(l)
	if err != nil {
		return one, err
	}
	one.NextAt = next
	due, isDue, err := s.dueAt(ctx, l)
	if err != nil {
		return one, err
	}
	if isDue {
		one.OverdueSince = due
	}
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		known := false
		err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM matched_queries WHERE list = $1 AND query = $2)`, l.ID, database.JSON(l.Query)).Scan(&known)
		if err != nil || !known {
			return err
		}
		one.Matched = new(int)
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM matches WHERE list = $1 AND seq > COALESCE((
			SELECT MAX(last_seq) FROM issues WHERE list = $1), 0)`, l.ID).Scan(one.Matched)
	})
	return one, err
}

// Waiting counts deliveries that wait for their time, a later attempt, the end of a pause,
// or another process.
func (s *Service) Waiting(ctx context.Context) (n int, err error) {
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM deliveries WHERE state IN ('waiting', 'uncertain') AND next_at IS NOT NULL`).Scan(&n)
	})
	return n, err
}
