package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"dibao/internal/database"
	"dibao/internal/database/databasetest"
	"dibao/internal/trust"
)

// plant creates secrets and finds them again.
type plant struct {
	mu  sync.Mutex
	all map[string]string // purpose, by secret
}

func (p *plant) secret(what string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = make(map[string]string)
	}
	s := fmt.Sprintf("pLaNt%02dXq9Vw3ZkTr8mBd", len(p.all))
	p.all[s] = what
	return s
}

// look reports each secret in a text.
func (p *plant) look(t *testing.T, where, text string) {
	t.Helper()
	for s, what := range p.all {
		if i := strings.Index(text, s); i >= 0 {
			t.Errorf("%s shows the secret of %s: …%s…", where, what, text[max(0, i-120):min(len(text), i+60)])
		}
	}
}

// TestNoSecretIsShown sets a secret in each key and address that can contain one, uses them
// all, and searches everything that is written for them: logs at debug level, stderr,
// tables and JSON of commands, metrics, pages, the admin API.
func TestNoSecretIsShown(t *testing.T) {
	planted := 0
	databasetest.EachURL(t, func(t *testing.T, url string) {
		p := &plant{}
		url = strings.Replace(url, "dibao@", "dibao:"+p.secret("the database")+"@", 1)
		showNoSecret(t, p, url)
		planted += len(p.all)
	})
	trust.Report(t, "secrets that anything shows", "0 of %d planted", planted)
}

func showNoSecret(t *testing.T, p *plant, url string) {
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // it repeats the key that it received
		http.Error(w, "wrong key: "+r.Header.Get("Authorization"), http.StatusUnauthorized)
	}))
	t.Cleanup(model.Close)
	modelHost := strings.TrimPrefix(model.URL, "http://")
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	address, admin := freeAddress(t), freeAddress(t)
	config := file("secrets.toml", fmt.Sprintf(`[server]
addr = %q
admin_addr = %q
base_url = "http://%s"
api = true
hubs = "http://hub:%s@127.0.0.1:1/"
acme_directory = "https://acme:%s@127.0.0.1:1/dir"
[database]
url_file = %q
[fetch]
user_agent = "dibao (+https://agent:%s@www.example.org/)"
[mail]
host = "127.0.0.1:1"
username = "mailer"
password_file = %q
tls = "implicit"
from = "dibao@test.example"
[dkim]
key = %q
ed25519_key_file = %q
[summary]
url_file = %q
model = "m"
key = %q
[log]
level = "debug"
`, address, admin, address, p.secret("[server] hubs"), p.secret("[server] acme_directory"), file("database", url), p.secret("[fetch] user_agent"),
		file("password", p.secret("[mail] password")), "-----BEGIN PRIVATE KEY-----\n"+p.secret("[dkim] key"), file("ed", p.secret("[dkim] ed25519_key")),
		file("summary", "http://model:"+p.secret("[summary] url")+"@"+modelHost+"/v1"), p.secret("[summary] key")))
	// verb runs dibao and searches its output.
	verb := func(args ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		run(append([]string{"--config", config}, args...), strings.NewReader(""), &stdout, &stderr)
		p.look(t, "dibao "+strings.Join(args[:min(2, len(args))], " "), stdout.String()+stderr.String())
		return stdout.String() + stderr.String()
	}
	verb("migrate")
	token := ""
	if out := verb("token", "create", "all", "--scope", "read", "--scope", "source"); strings.HasPrefix(out, "dibao_") {
		token = strings.TrimSpace(out)
	} else {
		t.Fatalf("no token: %s", out)
	}
	p.all[token] = "the API token"
	proxy := "http://proxy:" + p.secret("a proxy") + "@127.0.0.1:1"
	verb("source", "add", "http://reader:"+p.secret("a source that is added")+"@www.example.org/feed.xml")
	verb("source", "add", "https://www.example.org/feed.xml?key="+p.secret("a source's query"), "--proxy", proxy)
	verb("source", "import", "--trust", file("sources.tsv", "name\tkind\turl\tproxy\n样例\tfeed\thttps://www.example.org/1.xml\t"+proxy+"\n"))
	verb("source", "import", file("bad.tsv", "name\tkind\turl\n坏\tfeed\thttp://a:"+p.secret("a row")+"@www.example.org/2.xml\n"))
	verb("source", "edit", "样例", "--proxy", proxy)
	legacySource(t, url, "http://old:"+p.secret("a source of an earlier version")+"@www.example.org/feed.xml", proxy)
	serve, log := startServe(t, config)
	base := "http://" + address
	awaitAnswer(t, base+"/readyz")
	look := func(method, address, auth string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if auth != "" {
			r.Header.Set("Authorization", "Bearer "+auth)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		p.look(t, method+" "+r.URL.Path, string(body))
	}
	for _, prefix := range []string{"/u/", "/confirm/", "/preferences/", "/change/", "/websub/"} {
		look("GET", base+prefix+p.secret("a token below "+prefix), "")
	}
	for _, path := range []string{"/", "/feed.xml", "/opml", "/robots.txt", "/healthz", "/sitemap.xml", "/sources/1/", "/sources/2/feed.xml", "/sources/3/feed.json"} {
		look("GET", base+path, "")
	}
	for _, path := range []string{"/metrics", "/healthz"} {
		look("GET", "http://"+admin+path, "")
	}
	for _, path := range []string{"/api/source/list", "/api/audit"} {
		look("POST", "http://"+admin+path, token)
		look("POST", "http://"+admin+path, p.secret("a wrong API token"))
	}
	if out := verb("collect"); !strings.Contains(out, "127.0.0.1:1") {
		t.Errorf("the proxy was not used: %s", out)
	}
	for _, args := range [][]string{
		{"config"}, {"--json", "config"}, {"doctor"}, {"--json", "doctor"}, {"source", "list"}, {"--json", "source", "list"}, {"source", "show", "样例"},
		{"source", "test", "样例"}, {"source", "test", "旧"}, {"source", "export"}, {"source", "export", "--format", "tsv"}, {"audit"}, {"mail", "doctor"},
		{"mail", "test", "a@test.example"}, {"--database", "postgres://dibao:" + p.secret("--database") + "@127.0.0.1:1/x", "source", "list"},
		{"--database", "mysql://dibao:" + p.secret("a wrong --database") + "@127.0.0.1/x", "doctor"},
	} {
		if out := verb(args...); out == "" {
			t.Errorf("dibao %v wrote nothing", args)
		}
	}
	t.Setenv("DIBAO_DKIM_DOMAIN", "test.example")
	verb("doctor")
	t.Setenv("DIBAO_DATABASE_URL", "mysql://a:"+p.secret("a wrong DIBAO_DATABASE_URL")+"@db/x")
	t.Setenv("DIBAO_SUMMARY_URL", "ftp://a:"+p.secret("a wrong DIBAO_SUMMARY_URL")+"@db/x")
	verb("config")
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("serve: %v\n%s", err, log)
	}
	p.look(t, "the log", log.String())
	for _, want := range []string{"/u/***", "/preferences/***", "/change/***", "/websub/***"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not show that %s was asked for", want)
		}
	}
}

// legacySource stores a source as an earlier version of dibao did.
func legacySource(t *testing.T, url, address, proxy string) {
	t.Helper()
	db, err := database.Open(t.Context(), url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `INSERT INTO sources (url, kind, name, zone, issuer, region, licence, settings, interval_seconds, theme, proxy, user_agent, state, next_at, created_at)
			SELECT $1, kind, '旧', zone, issuer, region, licence, settings, interval_seconds, theme, $2, user_agent, state, next_at, created_at FROM sources WHERE name = '样例'`, address, proxy)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// startServe starts the daemon; its log can be read when it has ended.
func startServe(t *testing.T, config string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	cmd := exec.Command(exe, "--config", config, "serve")
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = append(os.Environ(), asProgram+"=1"), t.TempDir(), &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() }) // it has ended unless the test failed
	return cmd, &log
}
