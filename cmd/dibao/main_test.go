package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"dibao/cmd/dibao/demo"
	"dibao/cmd/dibao/demo/mailbox"
	"dibao/cmd/dibao/demo/samplesite"
	"dibao/feed/publish/feedtest"
	"dibao/internal/config"
	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/mail/smtptest"
)

// asProgram, if set in the environment, makes the test binary run dibao itself, for tests
// that kill it.
const asProgram = "DIBAO_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	testscript.Main(m, map[string]func(){"dibao": main})
}

// TestScripts runs the command line as a person would, and checks exit status, output, and
// that no incomplete files remain.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/scripts",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"site": func(ts *testscript.TestScript, _ bool, _ []string) { startSite(t, ts) }},
		Setup: func(e *testscript.Env) error {
			taken, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Defer(func() { taken.Close() })
			e.Setenv("TAKEN", taken.Addr().String())
			box, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- mailbox.New(mailbox.Options{}).Run(ctx, box) }()
			e.Defer(func() { stop(); <-ended })
			e.Setenv("MAILBOX", box.Addr().String()) // a server that accepts everything
			refusing, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Setenv("REFUSING", smtptest.Start(t, refusing, "", smtptest.Fault{}).Addr) // rejects names that begin with refused
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, ".config"))
			return nil
		},
	})
}

// openTestApp opens the app of commands, with settings in place of environment variables.
func openTestApp(t *testing.T, settings map[string]string) *app {
	t.Helper()
	c, err := config.Load("", func(name string) string { return settings[name] })
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	return a
}

// demoOnce runs the demo once and returns its summary and exit error.
func demoOnce(t *testing.T, o demo.Options, database string) (demo.Summary, error) {
	t.Helper()
	o.Once, o.Addr = true, "127.0.0.1:0"
	if o.Subscribers == 0 {
		o.Subscribers = 3
	}
	var out, talk bytes.Buffer
	g := &globals{json: true, database: database}
	cmd := newDemo(g)
	cmd.SetOut(&out)
	cmd.SetErr(&talk)
	cmd.SetContext(t.Context())
	err := runDemo(g, cmd, o)
	var s demo.Summary
	if out.Len() > 0 {
		if jsonErr := json.Unmarshal(out.Bytes(), &s); jsonErr != nil {
			t.Fatalf("summary %q: %v", out.String(), jsonErr)
		}
	}
	if talk.Len() > 0 {
		t.Logf("log:\n%s", talk.String())
	}
	return s, err
}

func TestDemoGoesTheWholeRoad(t *testing.T) {
	t.Parallel()
	s, err := demoOnce(t, demo.Options{Subscribers: 12}, "")
	if err != nil {
		t.Fatal(err)
	}
	if s.Sources != 4 || s.Articles != 31 || s.Subscribers != 12 || s.Issues != 1 || s.MessagesSent != 12 || s.MessagesReceived != 12 ||
		s.Unsubscribed != 1 || len(s.Feeds) != 6 || len(s.Errors) != 0 || len(s.Warnings) != 0 {
		t.Fatalf("got %+v", s)
	}
	for _, f := range s.Feeds {
		want := 31
		if strings.Contains(f.URL, "/lists/") {
			want = 25 // a new list does not contain articles collected from the archive
		}
		if f.Items != want {
			t.Errorf("%s has %d items, want %d", f.URL, f.Items, want)
		}
	}
}

// Whatever breaks, the demo reports it by its exit status and names the step.
func TestDemoFailsWhenAStepIsBroken(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	for name, c := range map[string]struct {
		options demo.Options
		want    string
	}{
		"ReceiverDown": {demo.Options{MailServer: nobody}, "subscribe"},
		"SiteAnswers500": {demo.Options{BreakSite: func(s *samplesite.Site) {
			s.Break("", 500)
		}}, "collect"},
		"OneSourceAnswers500": {demo.Options{BreakSite: func(s *samplesite.Site) {
			s.Break("/zhiku/rss.xml", 500)
		}}, "collect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := demoOnce(t, c.options, "")
			if err == nil || !strings.Contains(err.Error(), c.want) || len(s.Errors) == 0 {
				t.Fatalf("error %v, errors %q; want one that names the step %q", err, s.Errors, c.want)
			}
		})
	}
}

func TestExitStatusOfWrongUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"nothing"}, {"source", "nothing"}, {"serve", "--nothing"}, {"source", "add"}, {"demo", "--subscribers", "0"}} {
		var errs bytes.Buffer
		if got := run(args, strings.NewReader(""), io.Discard, &errs); got != 2 {
			t.Errorf("dibao %s: status %d, want 2 (%s)", strings.Join(args, " "), got, errs.String())
		}
	}
}

// The feeds of the demo pass the validator without errors or warnings.
func TestDemoFeedsAreValid(t *testing.T) {
	t.Parallel()
	checked := 0
	o := demo.Options{AfterSteps: func(d *demo.Demo) {
		for _, f := range d.Summary.Feeds {
			body, err := d.Get(t.Context(), f.URL)
			if err != nil {
				t.Error(err)
				continue
			}
			checked++
			if p := feedtest.Validate(f.Format, f.URL, body); len(p) > 0 {
				t.Errorf("%s: %v", f.URL, p)
			}
		}
	}}
	if _, err := demoOnce(t, o, ""); err != nil {
		t.Fatal(err)
	}
	if checked != 6 {
		t.Fatalf("%d feeds checked, want 6", checked)
	}
}

// A read-only database also makes the demo fail.
func TestDemoFailsOnAReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	url := databasetest.Postgres(t)
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET default_transaction_read_only = on'; END $$`)
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := demoOnce(t, demo.Options{}, url); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Fatalf("got %v, want an error that says read-only", err)
	}
}
