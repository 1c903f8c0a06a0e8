// Package quota limits the use by each of many clients: token buckets by key, in the memory
// of the process.
package quota

import (
	"sync"
	"time"
)

// Quota lets each key spend Burst at once, and Hourly more per hour. It is safe
// for concurrent use.
type Quota struct {
	Burst, Hourly float64
	Now           func() time.Time

	mu    sync.Mutex
	spent map[string]level
}

type level struct {
	amount float64
	at     time.Time
}

// maxKeys limits the memory of a quota; beyond it, keys with a full bucket are removed or,
// if there are none, all keys.
const maxKeys = 20_000

// Wait returns how long a key has to wait before it can spend an amount, 0 if
// it can now. An amount larger than Burst can be spent from a full bucket.
func (q *Quota) Wait(key string, amount float64) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.wait(q.level(key), amount)
}

// Take spends an amount unless the key has to wait, and returns how long.
func (q *Quota) Take(key string, amount float64) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.level(key)
	wait := q.wait(l, amount)
	if wait == 0 {
		q.spend(key, l, amount)
	}
	return wait
}

// Spend spends an amount, whatever Wait says.
func (q *Quota) Spend(key string, amount float64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spend(key, q.level(key), amount)
}

func (q *Quota) wait(l level, amount float64) time.Duration {
	over := min(l.amount, l.amount+amount-q.Burst)
	if over <= 0 {
		return 0
	}
	return max(time.Duration(over/q.Hourly*float64(time.Hour)), 1)
}

// level returns what a key has spent and not regained.
func (q *Quota) level(key string) level {
	l, known := q.spent[key]
	now := q.Now()
	if earned := now.Sub(l.at).Hours() * q.Hourly; earned > 0 { // a clock may have been set back
		l.amount = max(0, l.amount-earned)
	}
	l.at = now
	if known {
		q.spent[key] = l
	}
	return l
}

func (q *Quota) spend(key string, l level, amount float64) {
	if q.spent == nil || len(q.spent) >= maxKeys {
		q.sweep()
	}
	l.amount += amount
	q.spent[key] = l
}

func (q *Quota) sweep() {
	kept := make(map[string]level)
	for key := range q.spent {
		if l := q.level(key); l.amount > 0 {
			kept[key] = l
		}
	}
	if len(kept) >= maxKeys {
		clear(kept)
	}
	q.spent = kept
}
