package main

import (
	"bytes"
	"database/sql"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dibao/digest/channel"
	"dibao/internal/database/databasetest"
	"dibao/subscribers"
)

// TestRemoteVerbsWriteWhatLocalOnesDo runs commands here and through the admin API and
// compares what a person sees.
func TestRemoteVerbsWriteWhatLocalOnesDo(t *testing.T) {
	t.Parallel()
	url := databasetest.SQLite(t)
	a := openTestApp(t, map[string]string{"DIBAO_DATABASE_URL": url})
	weekly, err := a.subscribers.CreateList(t.Context(), subscribers.List{Slug: "weekly", Title: "周刊"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.subscribers.AddConfirmed(t.Context(), "a@example.org", "zh", []subscribers.List{weekly}, "test"); err != nil {
		t.Fatal(err)
	}
	group, err := channel.New(weekly.ID, "ntfy", "", "policy")
	if err == nil {
		_, err = a.digest.Channels.Add(t.Context(), group)
	}
	if err != nil {
		t.Fatal(err)
	}
	tokenFile := filepath.Join(t.TempDir(), "token")
	newToken := func(name string, scopes ...string) {
		t.Helper()
		token, err := a.subscribers.CreateAPIToken(t.Context(), name, scopes)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(tokenFile, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	newToken("editor", "read", "list", "subscriber", "issue")
	a.api = newAPI(a, globals{database: url})
	server := httptest.NewServer(a.adminHandler())
	defer server.Close()
	type ended struct {
		out, talk string
		status    int
	}
	local := func(args ...string) ended {
		var out, talk bytes.Buffer
		status := run(args, strings.NewReader(""), &out, &talk)
		return ended{out.String(), talk.String(), status}
	}
	far := []string{"--server", server.URL, "--token-file", tokenFile}
	remotely := func(args ...string) ended { return local(append(far, args...)...) }

	for line, want := range map[string]ended{
		"list show":                                          {out: "weekly"},
		"list show weekly --json":                            {out: `"slug":"weekly"`},
		"list channel list":                                  {out: "ntfy"},
		"list channel list monthly":                          {talk: "monthly", status: 1},
		"subscriber list *@example.org":                      {out: "a@example.org"},
		"subscriber list *@example.org --state pending":      {},
		"subscriber show nobody@example.org":                 {talk: "no reader", status: 1},
		"subscriber add nobody --list weekly --consent shop": {talk: "nobody", status: 2},
		"subscriber list --limit 0":                          {talk: "--limit", status: 2},
		"issue list --list monthly":                          {talk: "monthly", status: 1},
		"issue preview weekly --quiet":                       {out: "周刊"},
		"article search 养老 --limit 2":                        {},
		"status":                                             {},
		"version":                                            {out: "dibao"},
	} {
		args := strings.Fields(line)
		here, there := local(append([]string{"--database", url}, args...)...), remotely(args...)
		if line != "status" && here != there || here.status != there.status { // a status contains times
			t.Errorf("%s\nhere:  %+v\nthere: %+v", line, here, there)
		}
		if there.status != want.status || !strings.Contains(there.out, want.out) || !strings.Contains(there.talk, want.talk) {
			t.Errorf("%s: %+v, want %+v", line, there, want)
		}
	}

	// The page of a mailing is written to a file on this machine, unchanged; no file is
	// overwritten.
	err = a.db.Write(t.Context(), func(tx *sql.Tx) error {
		now := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
		_, err := tx.ExecContext(t.Context(), `INSERT INTO mailings (id, due_at, state, created_at, done_at) VALUES (1, $1, 'done', $1, $1)`, now)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "mailing.html")
	if got := remotely("issue", "report", "1", "--html", page); got.status != 0 || got.out != "" || !strings.Contains(got.talk, page) {
		t.Errorf("a page: %+v", got)
	}
	if text, err := os.ReadFile(page); err != nil || !strings.HasPrefix(string(text), "<!DOCTYPE html>") || !strings.Contains(string(text), "</html>") {
		t.Errorf("the page: %v\n%.200s", err, text)
	}
	if got := remotely("issue", "report", "1", "--html", page); got.status != 1 || !strings.Contains(got.talk, "not overwritten") {
		t.Errorf("a page over a file: %+v", got)
	}
	if got := remotely("issue", "report", "1", "--html", "-", "--json"); got.status != 0 || !strings.HasPrefix(got.out, `{"html":"<!DOCTYPE html>`) {
		t.Errorf("a page as JSON: %d, %s\n%.200s", got.status, got.talk, got.out)
	}

	// The audit log has the actions of a token under its name. Over HTTP nobody can answer a question, so the answer
	// is yes.
	if got := remotely("subscriber", "add", "b@example.org", "--list", "weekly", "--consent", "asked in person"); got.status != 0 {
		t.Errorf("add: %+v", got)
	}
	if got := remotely("list", "remove", "weekly", "--yes"); got.status != 0 {
		t.Errorf("remove: %+v", got)
	}
	if got := remotely("audit", "--action", "list remove"); !strings.Contains(got.out, "token:editor") || !strings.Contains(got.out, "weekly") {
		t.Errorf("audit: %+v", got)
	}

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, wrong := range []struct {
		args   []string
		status int
		talk   string
	}{
		{append(far, "token", "list"), 2, "only on the machine of the service"},
		{append(far, "issue", "preview", "weekly", "--number", "0x"), 2, "--number"},
		{append(far, "source", "list", "--watch"), 2, "unknown flag"},
		{append(far, "list", "channel", "add", "weekly", "wecom", "--secret-file", "/etc/passwd"), 1, "the API does not accept --secret-file"},
		{append(far, "issue", "report", "--watch"), 1, "the API does not accept --watch; run the command on"},
		{[]string{"--server", server.URL, "list", "show"}, 1, "--token-file"},
		{[]string{"--server", server.URL + "/elsewhere", "--token-file", tokenFile, "list", "show"}, 1, "404"},
		{[]string{"--server", "http://dibao.example:9090", "--token-file", tokenFile, "list", "show"}, 1, "in plain text"},
		{[]string{"--server", "ftp://localhost", "--token-file", tokenFile, "list", "show"}, 1, "not an http or https URL"},
		{[]string{"--server", "http://" + closed.Addr().String(), "--token-file", tokenFile, "list", "show"}, 1, "does not answer"},
		{[]string{"--server", server.URL, "--token-file", tokenFile + "x", "list", "show"}, 1, "read the token"},
	} {
		if got := local(wrong.args...); got.status != wrong.status || !strings.Contains(got.talk, wrong.talk) {
			t.Errorf("%q: %+v, want %d and %q", wrong.args, got, wrong.status, wrong.talk)
		}
	}
	newToken("looker", "list:show")
	if got := remotely("subscriber", "list"); got.status != 1 || !strings.Contains(got.talk, `does not allow "subscriber list"`) {
		t.Errorf("without the scope: %+v", got)
	}
}
