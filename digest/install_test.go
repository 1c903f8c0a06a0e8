//go:build linux

package digest_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// mostCommands is the maximum number of commands from the program alone, or its package, to
// a reader's first issue.
const mostCommands = 12

// program builds the program as it is released: static and stripped. With these tags it
// does not need cgo.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dibao-program-")
	if err != nil {
		return "", err
	}
	atExit = append(atExit, func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "dibao")
	out, err := exec.Command("go", "build", "-tags", "netgo,osusergo", "-ldflags", "-s -w", "-o", path, "dibao/cmd/dibao").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// agencySite is a site without a feed: a list of six notices.
func agencySite(t *testing.T) *httptest.Server {
	day := func(i int) string { return time.Now().AddDate(0, 0, -i).Format("2006-01-02") }
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			fmt.Fprint(w, `<html><head><title>政策文件-样例市</title></head><body><ul class="list">`)
			for i := range 6 {
				fmt.Fprintf(w, `<li><a href="/a/%d.html">样例市关于印发养老服务办法第%d号的通知</a><span>%s</span></li>`, i, i, day(i))
			}
			fmt.Fprint(w, `</ul></body></html>`)
		case "/robots.txt":
			http.NotFound(w, r)
		default:
			fmt.Fprintf(w, `<html><body><h1>样例市关于印发养老服务办法第%s号的通知</h1><p>发布时间：%s</p><div class="content"><p>各区人民政府：</p>%s</div></body></html>`,
				r.URL.Path[3:4], day(int(r.URL.Path[3]-'0')), strings.Repeat("<p>现将养老服务办法印发给你们，请认真贯彻执行。各区要落实经费，加强监督检查。</p>", 4))
		}
	}))
	t.Cleanup(site.Close)
	return site
}

// firstIssue are the commands from a database to the sending of an issue.
func firstIssue(t *testing.T, dibao func(args ...string) string) {
	t.Helper()
	dibao("source", "add", agencySite(t).URL+"/", "--private", "--name", "样例市", "--yes")
	dibao("collect")
	dibao("list", "create", "weekly", "--title", "政策周报")
	dibao("subscriber", "add", "reader@test.example", "--list", "weekly", "--consent", "on paper")
	dibao("issue", "compose", "weekly")
	dibao("issue", "send")
}

// arrived checks that the first issue is in the reader's mailbox.
func arrived(t *testing.T, imap string) {
	t.Helper()
	var got []mailboxMessage
	waitFor(t, "the reader has no mail", func() bool { got = readIMAP(t, imap, "reader@test.example"); return len(got) > 0 })
	if len(got) != 1 || strings.Count(got[0].Text, "养老服务办法第") < 6 || !strings.Contains(got[0].Header["Subject"], "政策周报") {
		t.Errorf("%d messages; the first: %+v", len(got), got[0])
	}
}

// From the program alone, in an empty root folder and as a user without privileges, to an issue
// of a local site in a mailbox: by Postfix and LMTP to a Dovecot, read by IMAP.
func TestFirstIssueFromTheProgramAlone(t *testing.T) {
	t.Parallel()
	installed(t, "/usr/bin/python3", "python3")
	lmtp, imap := dovecot(t)
	addr, _ := postfix(t, []string{"reader"}, nil, "virtual_transport = lmtp:inet:"+lmtp+"\n")
	root := folderForAll(t, "root")
	if err := errors.Join(copyFile(must[string](t)(program()), root+"/dibao", 0o755), os.Chown(root, 65534, 65534)); err != nil {
		t.Fatal(err)
	}
	commands := 0
	dibao := func(args ...string) string {
		t.Helper()
		commands++
		cmd := exec.Command("/dibao", args...)
		cmd.Dir = "/"
		cmd.Env = []string{"DIBAO_MAIL_HOST=127.0.0.1", "DIBAO_MAIL_PORT=" + port(addr), "DIBAO_MAIL_TLS=none", "DIBAO_MAIL_FROM=邸报 <dibao@test.example>"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		return output(t, cmd)
	}
	dibao("init")
	firstIssue(t, dibao)
	arrived(t, imap)
	if commands > mostCommands {
		t.Errorf("%d commands, at most %d", commands, mostCommands)
	}
}

// output runs a command that must succeed and returns its output.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	t.Logf("%s\n%s", strings.Join(cmd.Args, " "), out)
	return string(out)
}

func copyFile(from, to string, mode os.FileMode) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, mode)
}
