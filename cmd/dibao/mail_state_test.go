package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dibao/internal/mail/smtptest"
)

// TestMailStateIsTheSameEverywhere tests former bugs: a domain that refuses our mail by its policy
// was named in no command, a resumed mailing was said to be sent at once although its emails
// waited, and watching printed holes and ended with an error.
func TestMailStateIsTheSameEverywhere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	relay := smtptest.StartScript(t, l, func(phase, _, _ string) string {
		if phase == "rcpt" {
			return "550 5.7.1 your IP is on a block list"
		}
		return ""
	})
	path, _ := mailConfig(t, "connections = 1\n")
	editConfig(t, path, `host = "`, `host = "`+relay.Addr+`" # `)
	box := filepath.Join(filepath.Dir(path), "box")
	for _, dir := range []string{"new", "cur"} {
		if err := os.MkdirAll(filepath.Join(box, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(box, "new", "1"), []byte(letter), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	run := func(args ...string) string {
		t.Helper()
		root := newRoot()
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetErr(&out)
		root.SetArgs(append(args, "--config", path))
		if err := root.ExecuteContext(ctx); err != nil {
			fmt.Fprintln(&out, "error:", err)
		}
		return strings.Join(strings.Fields(out.String()), " ")
	}
	says := func(text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%q lacks %q", text, w)
			}
		}
	}
	run("migrate")
	run("source", "add", "maildir://"+box, "--name", "样例来信")
	run("list", "create", "weekly")
	says(run("status"), "not matched yet")
	for i := range 5 {
		run("subscriber", "add", fmt.Sprintf("r%d@big.example", i), "--list", "weekly", "--consent", "test")
	}
	run("collect")
	says(run("status"), "1 article matches", "5 readers")
	run("issue", "compose", "weekly")
	says(run("issue", "send"), "waiting 2", "3 deliveries were refused permanently")

	paused := "big.example refuses our mail by its policy: 550 5.7.1 your IP is on a block list; until "
	says(run("status"), paused, ", 2 emails wait to go on, run: dibao mail doctor, dibao issue send", "mailing 1 did not reach all readers: 550 5.7.1 your IP is on a block list; 3 of 5 emails failed")
	says(run("doctor"), paused, "3 of 5 emails failed")
	says(run("issue", "report"), paused)
	says(run("issue", "report", "1"), "550 5.7.1 your IP is on a block list")
	says(run("issue", "resume", "1"), "mailing 1 is not paused; 2 emails to big.example will wait until ", "; to try now: dibao issue send")
	says(run("subscriber", "show", "r4@big.example"), "mail waiting", "550 5.7.1 your IP is on a block list; next try ")
	says(run("bounce", "list"), "big.example reply policy 5.7.1 your IP is on a block list")
	for _, line := range []string{run("status"), run("doctor")} {
		if strings.Contains(line, "have been due") {
			t.Errorf("%q; nothing is overdue", line)
		}
	}
	var cancel context.CancelFunc
	ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	time.AfterFunc(200*time.Millisecond, cancel)
	if text := run("issue", "report", "--watch", "1"); !strings.Contains(text, "sent 0, waiting 2, failed 3; the next try is at ") || strings.Contains(text, "error") {
		t.Errorf("watch: %q", text)
	}
}
