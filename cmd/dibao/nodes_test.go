package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"dibao/cmd/dibao/demo/mailbox"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/jobs"
	"dibao/internal/nodes"
	"dibao/internal/trust"
)

// node starts a node that delivers, with settings in addition to those of the run.
func (r *killRun) node(t *testing.T, settings ...string) *exec.Cmd {
	t.Helper()
	one := *r
	one.env = append(slices.Clone(r.env), "DIBAO_SERVER_ADMIN_ADDR=127.0.0.1:0")
	one.env = append(one.env, settings...)
	return one.start(t, "serve", "--role", "deliver")
}

// finish waits until every reader has an email.
func (r *killRun) finish(t *testing.T, within time.Duration) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		if r.box.Count() < r.readers && time.Since(begun) < within {
			continue
		}
		got, have := make(map[string]bool), 0
		for _, m := range r.box.Messages() {
			got[m.To] = true
		}
		for i := range r.readers { // readers of other lists also get emails
			if got[r.address(i)] {
				have++
			}
		}
		if have == r.readers {
			return
		}
		if time.Since(begun) > within {
			t.Fatalf("%d of %d readers have an email after %s", have, r.readers, within)
		}
	}
}

// Four nodes deliver together while one after another is killed and replaced: every reader
// gets the email, nobody three times, and only emails that were being sent arrive twice.
func TestKilledNodesLoseNobody(t *testing.T) {
	if testing.Short() {
		t.Skip("runs four nodes")
	}
	t.Parallel()
	const count = 4
	kills, readers, every := 6, 2400, time.Second
	if os.Getenv("DIBAO_LONG") != "" {
		kills, readers, every = 120, 40_000, 2*time.Second
	}
	url, restart := databasetest.PostgresOfItsOwn(t)
	r := newSlowRun(t, url, readers, 40*time.Millisecond)
	var running [count]*exec.Cmd
	for i := range running {
		running[i] = r.node(t)
	}
	done := 0
	for ; done < kills && r.box.Count() < readers*9/10; done++ {
		time.Sleep(every)
		i := rand.IntN(count)
		running[i].Process.Signal(syscall.SIGKILL)
		running[i].Wait() // the status of a killed program does not matter
		if done == kills/2 {
			restart() // restarts the database, too
		}
		running[i] = r.node(t)
	}
	r.finish(t, 20*time.Minute)
	for _, cmd := range running {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("a node that was stopped: %v", err)
		}
	}
	lost, duplicates := r.copies(t)
	trust.Report(t, "kill -9 of one of four nodes", "%d kills, PostgreSQL restarted: %d lost, %d twice, none three times", done, lost, duplicates)
	// The restart also ends the connections of all emails that are being sent.
	if most := (done + count) * killConnections; lost > 0 || duplicates > most {
		t.Errorf("%d lost and %d duplicates; want none and at most %d", lost, duplicates, most)
	}
}

func byTime(a, b mailbox.Message) int { return a.ReceivedAt.Compare(b.ReceivedAt) }

// Two nodes, the second of which starts while the first is sending, together send no more
// per minute than one may.
func TestNodesShareTheRate(t *testing.T) {
	if os.Getenv("DIBAO_LONG") == "" {
		t.Skip("takes minutes; set DIBAO_LONG=1")
	}
	t.Parallel()
	const rate = 300
	r := newSlowRun(t, databasetest.Postgres(t), 4*rate, 0)
	limit := fmt.Sprintf("DIBAO_MAIL_RATE=%d", rate)
	first := r.node(t, limit)
	time.Sleep(15 * time.Second)
	r.node(t, limit)
	time.Sleep(time.Minute)
	first.Process.Signal(syscall.SIGSTOP) // longer than the time after which a node counts as gone
	time.Sleep(45 * time.Second)
	first.Process.Signal(syscall.SIGCONT)
	r.finish(t, 10*time.Minute)
	mails := r.box.Messages()
	worst := mostInAMinute(mails)
	took := slices.MaxFunc(mails, byTime).ReceivedAt.Sub(slices.MinFunc(mails, byTime).ReceivedAt)
	trust.Report(t, "messages a minute of two nodes", "%d in the busiest minute of %s, limit %d", worst, took.Round(time.Second), rate)
	// While a node joins or has died, its share is not used: a minute and a half at half the
	// rate.
	if least := time.Duration(4) * time.Minute; worst > rate*105/100 || took > least+3*time.Minute/2 {
		t.Errorf("%d messages in a minute, of %d that the nodes may send together; all in %s, which is %s at that rate", worst, rate, took, least)
	}
}

// A command that composes next to the nodes wakes them at once.
func TestNodesBeginAtOnce(t *testing.T) {
	t.Parallel()
	url := databasetest.Postgres(t)
	r := newSlowRun(t, url, 40, 0)
	r.node(t)
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r.finish(t, time.Minute) // work that was due at its start
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	list, err := nodes.List(ctx, db)
	if err != nil || len(list) != 1 || list[0].Gone || !slices.Equal(list[0].Roles, []nodes.Role{nodes.Deliver}) {
		t.Fatalf("%+v, %v", list, err)
	}
	for leader := ""; leader != list[0].ID; time.Sleep(100 * time.Millisecond) {
		if leader, err = jobs.Leader(ctx, db); err != nil {
			t.Fatal(err)
		}
	}
}
