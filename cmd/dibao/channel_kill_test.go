package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dibao/digest/channel"
	"dibao/digest/channel/channeltest"
	"dibao/internal/config"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
	"dibao/subscribers"
)

// channelRun is an issue that waits to be sent to the groups of every kind of service, by a
// program that is killed and has no mail server.
type channelRun struct {
	env     []string
	app     *app
	servers map[string]*channeltest.Server
	groups  []string
	log     bytes.Buffer // output of all programs
}

// newChannelRun composes an issue for this many groups of each kind, whose services take
// some time to answer.
func newChannelRun(t *testing.T, url string, groups int, latency time.Duration) *channelRun {
	t.Helper()
	ctx := t.Context()
	settings := map[string]string{"DIBAO_DATABASE_URL": url, "DIBAO_LOG_LEVEL": "debug", asProgram: "1"}
	run := &channelRun{env: os.Environ(), servers: make(map[string]*channeltest.Server)}
	for k, v := range settings {
		run.env = append(run.env, k+"="+v)
	}
	c, err := config.Load("", func(k string) string { return settings[k] })
	if err != nil {
		t.Fatal(err)
	}
	if run.app, err = openApp(ctx, c, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(run.app.close)
	collectSample(t, run.app)
	list, err := run.app.subscribers.CreateList(ctx, subscribers.List{Slug: "weekly", Title: "邸报周刊", Language: "zh"})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range groups {
		run.groups = append(run.groups, fmt.Sprintf("group-%04d-0123456789abcdef", i))
	}
	for _, kind := range channel.Kinds() {
		s := channeltest.New(t, kind, time.Now)
		s.After = func(string) { time.Sleep(latency) }
		run.servers[kind] = s
		for _, group := range run.groups {
			address, room, secret := s.Channel(group)
			c, err := channel.New(list.ID, kind, address, room)
			if err != nil {
				t.Fatal(err)
			}
			c.SecretFile, c.Private = filepath.Join(dir, kind+group), true
			if err := os.WriteFile(c.SecretFile, []byte(secret), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := run.app.digest.Channels.Add(ctx, c); err != nil {
				t.Fatal(err)
			}
		}
	}
	if made, err := run.app.digest.ComposeNow(ctx, []subscribers.List{list}); err != nil || len(made.Issues) != 1 || made.Deliveries != 0 {
		t.Fatalf("%+v: %v", made, err)
	}
	return run
}

// dibao starts the program.
func (r *channelRun) dibao(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = r.env, &r.log, &r.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func (r *channelRun) posts() (n int) {
	for _, s := range r.servers {
		n += len(s.Posts(""))
	}
	return n
}

// kill starts issue send, and kills it when this many more messages were posted.
func (r *channelRun) kill(t *testing.T, after int) {
	t.Helper()
	want := r.posts() + after
	cmd := r.dibao(t, "issue", "send")
	ended := make(chan struct{})
	go func() { defer close(ended); cmd.Wait() }() // the status of a killed program does not matter
	defer func() { <-ended }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for r.posts() < want {
		select {
		case <-ended: // everything was sent
			return
		case <-ctx.Done():
			cmd.Process.Kill()
			t.Fatalf("%d posts, want %d\n%s", r.posts(), want, &r.log)
		case <-time.After(time.Millisecond):
		}
	}
	if err := cmd.Process.Kill(); err != nil && err != os.ErrProcessDone {
		t.Fatal(err)
	}
}

// A program is killed while it sends an issue to groups of all services, 5 times (with
// DIBAO_LONG=1 200 times): each group gets the issue, none more than twice, and those of
// Matrix once. No secret is in the programs' output, in the backup or in what commands
// print.
func TestKilledChannelsGetEachIssue(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes")
	}
	kills, groups, after := 5, 12, 12
	if os.Getenv("DIBAO_LONG") != "" {
		kills, groups, after = 200, 150, 5
	}
	databasetest.EachURL(t, func(t *testing.T, url string) {
		r := newChannelRun(t, url, groups, 20*time.Millisecond)
		for range kills {
			r.kill(t, 1+rand.IntN(after))
		}
		cmd := r.dibao(t, "issue", "send")
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 3 { // status 3: it is unknown whether some groups have the issue
			t.Fatalf("the last run: %v\n%s", err, &r.log)
		}
		lost, twice, uncertain := 0, 0, 0
		for kind, s := range r.servers {
			for _, group := range r.groups {
				switch n := len(s.Posts(group)); {
				case n == 0:
					lost++
					t.Errorf("%s %s got nothing", kind, group)
				case n > 2 || n > 1 && kind == "matrix":
					t.Errorf("%s %s got %d copies", kind, group, n)
				case n == 2:
					twice++
				}
			}
		}
		counts, err := r.app.digest.Channels.Count(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if uncertain = counts["uncertain"]; counts["sent"]+uncertain != len(r.servers)*groups {
			t.Errorf("the ledger says %v", counts)
		}
		trust.Report(t, "kill -9 while sending to channels, "+path.Base(t.Name()), "%d kills, %d groups: %d lost, %d twice (Matrix none), none three times, %d said to be uncertain",
			kills, len(r.servers)*groups, lost, twice, uncertain)
		if twice > kills*8 {
			t.Errorf("%d got it twice; at most 8 are on their way", twice)
		}
		r.checkSecrets(t)
	})
}

// checkSecrets searches for secrets in the output of programs and commands.
func (r *channelRun) checkSecrets(t *testing.T) {
	t.Helper()
	backup := filepath.Join(t.TempDir(), "all.backup")
	for _, args := range [][]string{{"backup", backup}, {"--json", "list", "channel", "list"}, {"--json", "issue", "report", "1"}, {"--json", "status"}, {"doctor"}} {
		_ = r.dibao(t, args...).Wait() // doctor reports other problems
	}
	f, err := os.Open(backup)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	all := r.log.String() + string(text)
	if !strings.Contains(all, `"kind":"wecom"`) || !strings.Contains(string(text), "channel_deliveries") {
		t.Fatalf("the programs wrote too little: %s", &r.log)
	}
	for _, secret := range []string{channeltest.SigningKey, channeltest.Token, channeltest.HookSecret, "key=group", "hook/group", "access_token=group"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is in the log, a backup or what is printed", secret)
		}
	}
}
