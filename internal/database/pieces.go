package database

import (
	"sync"
	"time"
)

// pieceTime is the target duration of a piece; one that took more than twice as
// long is followed by a smaller one.
const pieceTime = 15 * time.Millisecond

// Pieces is how many articles or kilobytes one transaction takes on this
// machine at present. It is never less than least, however long that took: then
// the machine is busy with something else.
type Pieces struct {
	mu             sync.Mutex
	n, least, most int
}

// NewPieces begins with n.
func NewPieces(n, least, most int) *Pieces { return &Pieces{n: n, least: least, most: most} }

// Size is how much the next transaction takes.
func (p *Pieces) Size() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.n, p.least)
}

// Took learns from the time that a piece of n took.
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
