package lazyregexp

import (
	"sync"
	"testing"
)

// TestMistakesAreFoundByTests checks that an invalid pattern does not wait for its first
// use in the program.
func TestMistakesAreFoundByTests(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an invalid pattern did not panic under go test")
		}
	}()
	New(`(`)
}

func TestFirstUseByMany(t *testing.T) {
	r := &Regexp{pattern: `a+`} // as in the program: not compiled yet
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := r.FindString("baab"); got != "aa" {
				t.Errorf("found %q", got)
			}
		})
	}
	all.Wait()
}
