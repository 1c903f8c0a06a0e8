package subscribers

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"dibao/internal/database"
	"dibao/internal/fault"
	"dibao/subscribers/mailaddr"
)

// Selection says which subscribers to list.
type Selection struct {
	List  int64  // 0 means any list
	State State  // "" means any state
	Like  string // part of the address; with a * it is the whole address, * stands for anything: *@qq.com
	After int64  // an id, for paging

	Suppressed bool // only suppressed ones
	Limit      int  // 0 is 100
}

// Subscribers returns readers in the order of their ids, with their subscriptions.
func (s *Store) Subscribers(ctx context.Context, sel Selection) ([]Subscriber, error) {
	if sel.Limit <= 0 {
		sel.Limit = 100
	}
	var all []Subscriber
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		for {
			page, err := s.page(ctx, tx, sel)
			if err != nil {
				return err
			}
			for _, x := range page {
				sel.After = x.ID
				// Suppressions are identified by a hash, which SQL can't compute.
				if !sel.Suppressed || x.Suppressed != "" {
					all = append(all, x)
				}
				if len(all) == sel.Limit {
					return nil
				}
			}
			if len(page) < sel.Limit {
				return nil
			}
		}
	})
	return all, err
}

// page returns a page of Subscribers, suppressed or not.
func (s *Store) page(ctx context.Context, tx *sql.Tx, sel Selection) ([]Subscriber, error) {
	page, err := database.Collect(ctx, tx, func(r database.Row) (Subscriber, error) {
		var x Subscriber
		err := r.Scan(&x.ID, &x.Address, &x.Language, &x.CreatedAt)
		return x, err
	}, `SELECT id, address, language, created_at FROM subscribers u
		WHERE id > $1 AND address_key LIKE $2 ESCAPE '\' AND (($3 = 0 AND $4 = '') OR EXISTS (
			SELECT 1 FROM subscriptions x WHERE x.subscriber = u.id AND ($3 = 0 OR x.list = $3) AND ($4 = '' OR x.state = $4)))
		ORDER BY id LIMIT $5`, sel.After, sel.pattern(), sel.List, string(sel.State), sel.Limit)
	if err != nil {
		return nil, err
	}
	for i := range page {
		if err := s.complete(ctx, tx, &page[i]); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// pattern returns Like as a pattern for SQL.
func (sel Selection) pattern() string {
	like := likeEscaper.Replace(strings.ToLower(sel.Like))
	if strings.Contains(like, "*") {
		return strings.ReplaceAll(like, "*", "%")
	}
	return "%" + like + "%"
}

var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// SubscriberByAddress returns the reader with this address.
func (s *Store) SubscriberByAddress(ctx context.Context, address string) (Subscriber, error) {
	parsed, err := mailaddr.Parse(address)
	if err != nil {
		return Subscriber{}, err
	}
	var x Subscriber
	err = s.db.Read(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT id, address, language, created_at FROM subscribers WHERE address_key = $1`, mailaddr.Key(parsed)).
			Scan(&x.ID, &x.Address, &x.Language, &x.CreatedAt)
		if err != nil {
			return err
		}
		return s.complete(ctx, tx, &x)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Subscriber{}, fault.Missing("no reader %s; to see all readers: dibao subscriber list", parsed)
	}
	return x, err
}

// subscriberByID returns the reader with this id, such as that of a token.
func (s *Store) subscriberByID(ctx context.Context, id int64) (Subscriber, error) {
	x := Subscriber{ID: id}
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT address, language, created_at FROM subscribers WHERE id = $1`, id).Scan(&x.Address, &x.Language, &x.CreatedAt)
		if err != nil {
			return err
		}
		return s.complete(ctx, tx, &x)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return Subscriber{}, ErrNotFound
	}
	return x, err
}

// complete adds the subscriptions and the suppression.
func (s *Store) complete(ctx context.Context, tx *sql.Tx, x *Subscriber) error {
	err := tx.QueryRowContext(ctx, `SELECT reason FROM suppressions WHERE address_hash = $1`, s.addressHash(x.Address)).Scan(&x.Suppressed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	x.Subscriptions, err = database.Collect(ctx, tx, func(r database.Row) (Subscription, error) {
		var sub Subscription
		var confirmed, ended sql.Null[time.Time]
		err := r.Scan(&sub.List, &sub.Slug, &sub.Title, &sub.State, &sub.CreatedAt, &confirmed, &ended)
		sub.Slug, sub.ConfirmedAt, sub.EndedAt = shownSlug(sub.Slug), confirmed.V, ended.V
		return sub, err
	}, `SELECT l.id, l.slug, l.title, x.state, x.created_at, x.confirmed_at, x.ended_at
		FROM subscriptions x JOIN lists l ON l.id = x.list WHERE x.subscriber = $1 ORDER BY l.id`, x.ID)
	return err
}
