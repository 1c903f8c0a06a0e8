package database_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
)

// TestInteractiveGoesFirst checks that interactive work overtakes background work that
// waits longer, and that work that stops waiting does not block others.
func TestInteractiveGoesFirst(t *testing.T) {
	t.Parallel()
	db, err := database.Open(t.Context(), databasetest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	begun, end := make(chan bool), make(chan bool)
	var all sync.WaitGroup
	write := func(ctx context.Context, f func()) {
		if err := db.Write(ctx, func(*sql.Tx) error { f(); return nil }); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	all.Go(func() { write(t.Context(), func() { close(begun); <-end }) })
	<-begun
	var order []string
	ask := func(ctx context.Context, name string) {
		all.Go(func() { write(ctx, func() { order = append(order, name) }) }) // one writer at a time
		time.Sleep(20 * time.Millisecond)                                     // it waits behind earlier ones
	}
	ask(database.Background(t.Context()), "collect")
	ask(database.Background(t.Context()), "index")
	ctx, stop := context.WithCancel(t.Context())
	ask(ctx, "impatient")
	ask(t.Context(), "leave")
	ask(t.Context(), "confirm")
	stop()
	time.Sleep(20 * time.Millisecond)
	close(end)
	all.Wait()
	if want := []string{"leave", "confirm", "collect", "index"}; !slices.Equal(order, want) {
		t.Errorf("written in the order %v, want %v", order, want)
	}
	interactive, background := db.WriteTimes()
	if interactive.Hold.Count != 3 || background.Hold.Count != 2 || interactive.Hold.Longest < 20*time.Millisecond || background.Wait.Quantile(0.5) < 20*time.Millisecond {
		t.Errorf("interactive %+v, background %+v", interactive, background)
	}
}

// TestBackgroundIsNotStarved checks that background work gets its turn while interactive
// transactions never end.
func TestBackgroundIsNotStarved(t *testing.T) {
	t.Parallel()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for ctx.Err() == nil {
					db.Write(ctx, func(*sql.Tx) error { return nil })
				}
			})
		}
		for range 20 {
			if err := db.Write(database.Background(t.Context()), func(*sql.Tx) error { return nil }); err != nil {
				t.Error(err)
			}
		}
		stop()
		all.Wait()
	})
}

// TestBackgroundLeavesConnectionsToReaders tests a former bug: collections used all
// connections for reading while pages waited for 12 s.
func TestBackgroundLeavesConnectionsToReaders(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		began, end := make(chan bool, 20), make(chan bool)
		var reads sync.WaitGroup
		for range cap(began) {
			reads.Go(func() {
				err := db.Read(database.Background(t.Context()), func(*sql.Tx) error {
					began <- true
					<-end
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		<-began
		time.Sleep(100 * time.Millisecond) // those that may begin do so
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := db.Read(ctx, func(*sql.Tx) error { return nil }); err != nil {
			t.Errorf("a reader beside %d reads in the background: %v", cap(began), err)
		}
		close(end)
		reads.Wait()
	})
}
