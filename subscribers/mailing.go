package subscribers

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sync"

	"dibao/internal/database"
)

// WantEmpty returns the readers of the lists who want an email even if nothing is new, in
// the order of their ids after the given one, at most limit.
func (s *Store) WantEmpty(ctx context.Context, lists []int64, after int64, limit int) ([]int64, error) {
	var ids []int64
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		var err error
		ids, err = database.Collect(ctx, tx, database.ScanOne[int64], `
			SELECT id FROM subscribers WHERE wants_empty = 1 AND id > $2 AND EXISTS (
				SELECT 1 FROM subscriptions x WHERE x.subscriber = subscribers.id AND x.state = 'confirmed' AND x.list IN (`+s.db.Dialect().IDs("$1")+`))
			ORDER BY id LIMIT $3`, jsonArray(lists), after, limit)
		return err
	})
	return ids, err
}

// subscribed is a confirmed subscription as a mailing reads it.
type subscribed struct {
	subscriber, list int64
	storedChoice
}

// ForMailing returns the readers who confirmed one of the lists, in the order of their ids
// after the given one, at most limit; a shorter page is the last one. For each reader, it
// returns only the given lists. Suppressed readers are returned without lists, because a page
// without them would look like the last one.
//
// Each list is read along its own index, so that the cost of a page does not depend on the
// number of readers.
func (s *Store) ForMailing(ctx context.Context, lists []int64, after int64, limit int) ([]Reader, error) {
	var readers []Reader
	err := s.db.Read(ctx, func(tx *sql.Tx) error {
		readers = nil
		var all []subscribed
		for _, list := range lists {
			of, err := database.Collect(ctx, tx, func(r database.Row) (subscribed, error) {
				x := subscribed{list: list}
				return x, r.Scan(&x.subscriber, &x.themes, &x.regions, &x.frequency)
			}, `SELECT subscriber, themes, regions, frequency FROM subscriptions
				WHERE list = $1 AND state = 'confirmed' AND subscriber > $2 ORDER BY subscriber LIMIT $3`, list, after, limit)
			if err != nil {
				return err
			}
			all = append(all, of...)
		}
		slices.SortFunc(all, func(a, b subscribed) int {
			return cmp.Or(cmp.Compare(a.subscriber, b.subscriber), cmp.Compare(a.list, b.list))
		})
		// The first limit readers of all lists together are among the first
		// limit readers of each list.
		ids := make([]int64, 0, limit)
		end := len(all)
		for i, x := range all {
			if i == 0 || x.subscriber != all[i-1].subscriber {
				if len(ids) == limit {
					end = i
					break
				}
				ids = append(ids, x.subscriber)
			}
		}
		var err error
		readers, err = database.Collect(ctx, tx, scanReader,
			`SELECT `+readerColumns+` FROM subscribers WHERE id IN (`+s.db.Dialect().IDs("$1")+`) ORDER BY id`, jsonArray(ids))
		if err != nil || len(readers) == 0 {
			return err
		}
		if len(readers) != len(ids) {
			return fmt.Errorf("%d of %d readers no longer exist", len(ids)-len(readers), len(ids)) // a foreign key prevents this
		}
		at := 0
		for _, x := range all[:end] {
			for readers[at].ID != x.subscriber {
				at++
			}
			if err := s.take(&readers[at], x.list, x.storedChoice); err != nil {
				return err
			}
		}
		return s.fillSuppressed(ctx, tx, readers)
	})
	if err != nil {
		return nil, err
	}
	for i := range readers {
		if readers[i].Suppressed {
			readers[i].Lists, readers[i].Choices = nil, nil
		}
	}
	return readers, nil
}

// take adds a confirmed list to a reader, with the reader's choice for it.
func (s *Store) take(r *Reader, list int64, stored storedChoice) error {
	r.Lists = append(r.Lists, list)
	choice, err := s.choices.of(stored)
	if err != nil {
		return fmt.Errorf("choices of reader %d on list %d: %w", r.ID, list, err)
	}
	if !choice.IsDefault() {
		if r.Choices == nil {
			r.Choices = make(map[int64]Choice, 1)
		}
		r.Choices[list] = choice
	}
	return nil
}

// choiceCache caches parsed choices: many readers choose the same, and a mailing reads each
// choice twice.
type choiceCache struct {
	mu    sync.Mutex
	known map[storedChoice]Choice
}

// maxChoices limits the cache.
const maxChoices = 20_000

func (c *choiceCache) of(stored storedChoice) (Choice, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if choice, ok := c.known[stored]; ok {
		return choice, nil
	}
	choice, err := stored.choice()
	if err != nil {
		return Choice{}, err
	}
	if c.known == nil || len(c.known) >= maxChoices {
		c.known = make(map[storedChoice]Choice)
	}
	c.known[stored] = choice
	return choice, nil
}

// fillSuppressed finds which readers are suppressed.
func (s *Store) fillSuppressed(ctx context.Context, tx *sql.Tx, readers []Reader) error {
	var any bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM suppressions)`).Scan(&any); err != nil || !any {
		return err
	}
	hashes := make([]string, len(readers))
	byHash := make(map[string]int, len(readers))
	for i, r := range readers {
		hashes[i] = s.addressHash(r.Address)
		byHash[hashes[i]] = i
	}
	suppressed, err := database.Collect(ctx, tx, database.ScanOne[string],
		`SELECT address_hash FROM suppressions WHERE address_hash IN (`+s.db.Dialect().Texts("$1")+`)`, jsonArray(hashes))
	for _, h := range suppressed {
		readers[byHash[h]].Suppressed = true
	}
	return err
}
