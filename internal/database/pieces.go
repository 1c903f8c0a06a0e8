package database

import (
	"sync"
	"time"
)

// pieceTime is the target duration of a piece; after one that took more than twice as long,
// the next is smaller.
const pieceTime = 15 * time.Millisecond

// Pieces is the number of articles or kilobytes per transaction, adapted to the present
// speed of this machine. It is never less than least, however long that takes, because then
// other work slows the machine down.
type Pieces struct {
	mu             sync.Mutex
	n, least, most int
}

// NewPieces returns Pieces that begin with n.
func NewPieces(n, least, most int) *Pieces { return &Pieces{n: n, least: least, most: most} }

// Size returns the size of the next transaction.
func (p *Pieces) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.n, p.least)
}

// Took adapts the size to the time that a piece of n took.
func (p *Pieces) Took(n int, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case d > 2*pieceTime:
		p.n = max(p.least, min(n, p.n)/2)
	case d < pieceTime && 2*n >= p.n:
		p.n = min(p.most, max(p.least, p.n)*2)
	}
}
