package database

import (
	"context"
	"sync"
)

// A class is the urgency of a write transaction.
type class int

const (
	interactive class = iota // somebody waits for it: a reader, an admin, the mail server
	background               // collecting, indexing, composing, importing
)

func (c class) String() string { return [...]string{"interactive", "background"}[c] }

type backgroundKey struct{}

// Background marks work that nobody waits for. Write transactions under the returned
// context let all others go first, so there should be many short ones rather than a few
// long ones.
func Background(ctx context.Context) context.Context {
	return context.WithValue(ctx, backgroundKey{}, true)
}

func classOf(ctx context.Context) class {
	if ctx.Value(backgroundKey{}) != nil {
		return background
	}
	return interactive
}

// maxInRow is the maximum number of interactive transactions that overtake a waiting
// background one: deliveries must not stop collecting altogether.
const maxInRow = 50

// gate admits as many concurrent write transactions as there are connections, interactive
// ones first, each class in the order of arrival.
type gate struct {
	mu      sync.Mutex
	free    int
	only    bool // it applies only to background transactions
	waiting [2][]chan struct{}
	inRow   int // interactive transactions since the last background one that waited
}

// enter waits for a slot; leave must follow if it returns nil.
func (g *gate) enter(ctx context.Context, c class) error {
	if g.only && c == interactive {
		return nil
	}
	g.mu.Lock()
	if g.free > 0 { // then no transaction waits
		g.free--
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.waiting[c] = append(g.waiting[c], turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, w := range g.waiting[c] {
		if w == turn {
			g.waiting[c] = append(g.waiting[c][:i], g.waiting[c][i+1:]...)
			return ctx.Err()
		}
	}
	g.pass() // the slot was assigned at the same moment
	return ctx.Err()
}

// leave gives the slot to the next transaction.
func (g *gate) leave(c class) {
	if g.only && c == interactive {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass()
}

func (g *gate) pass() {
	next := interactive
	if len(g.waiting[interactive]) == 0 || len(g.waiting[background]) > 0 && g.inRow >= maxInRow {
		next = background
	}
	if len(g.waiting[next]) == 0 {
		g.free++
		return
	}
	if next == background {
		g.inRow = 0
	} else {
		g.inRow++
	}
	turn := g.waiting[next][0]
	g.waiting[next] = g.waiting[next][1:]
	close(turn)
}
