package digest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"dibao/internal/mail/dnstest"
)

const rspamdConfig = `
lua = "$RULESDIR/rspamd.lua"
.include "$CONFDIR/metrics.conf"
.include "$CONFDIR/actions.conf"
.include "$CONFDIR/groups.conf"
.include "$CONFDIR/composites.conf"
.include "$CONFDIR/modules.conf"
modules { path = "${PLUGINSDIR}"; fallback_path = "${SHAREDIR}/lua"; }
options { # those of the package, except for the list of top-level domains, which takes half a minute to compile
	filters = "chartable,dkim,regexp";
	url_tld = "TEMP/tld";
	pidfile = "TEMP/rspamd.pid"; tempdir = "TEMP"; hs_cache_dir = "TEMP";
	cache_file = "TEMP/symbols.cache"; control_socket = "TEMP/control.sock mode=0600";
	dns { nameserver = ["DNSHOST:DNSPORT"]; timeout = 1s; retransmits = 1; }
	max_urls = 10240; max_recipients = 1024; allow_raw_input = true; words_decay = 600;
	local_addrs = ["127.0.0.0/8"];
}
fuzzy_check { enabled = false; }
logging { type = "console"; level = "error"; }
worker "normal" { bind_socket = "ADDR"; count = 1; mime = true; }
`

// rspamdMay are the symbols that count against a weekly digest and can't be avoided, with
// the reason.
var rspamdMay = map[string]string{
	"MIME_BASE64_TEXT":     "Chinese in quoted-printable would be twice as long",
	"MANY_INVISIBLE_PARTS": "the preheader is there to be shown in lists of emails only",
}

// rspamdShould are symbols that must count in its favor.
var rspamdShould = []string{"R_DKIM_ALLOW", "R_SPF_ALLOW", "DMARC_POLICY_ALLOW", "HAS_LIST_UNSUB", "MID_RHS_MATCH_FROM", "FROM_HAS_DN", "MIME_GOOD"}

// rspamd, with the rules of its package and our own DNS, finds nothing avoidable in a
// weekly digest.
func TestRspamd(t *testing.T) {
	t.Parallel()
	const program = "/usr/bin/rspamd"
	installed(t, program, "rspamd")
	raw, records := signedDigest(t)
	const ip = "198.51.100.7"
	zone := []string{
		"test.example. IN MX 10 mx.test.example.", `test.example. IN TXT "v=spf1 ip4:` + ip + ` -all"`,
		"mx.test.example. IN A " + ip, "7.100.51.198.in-addr.arpa. IN PTR mx.test.example.",
		`_dmarc.test.example. IN TXT "v=DMARC1; p=reject; adkim=s; aspf=s"`,
	}
	for name, text := range records {
		zone = append(zone, name+`. IN TXT "`+text[:50]+`" "`+text[50:]+`"`)
	}
	dns := dnstest.Serve(t, zone...)
	dir, addr := folderForAll(t, "rspamd"), closedPort(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "tld", "com\norg\nnet\nexample\n")
	config := write(t, dir, "rspamd.conf", rspamdConfig, "CONFDIR", "CONFDIR", "RULESDIR", "RULESDIR", "PLUGINSDIR", "PLUGINSDIR", "SHAREDIR", "SHAREDIR", "TEMP", dir, "ADDR", addr, "DNSHOST", strings.TrimSuffix(dns, ":"+port(dns)), "DNSPORT", port(dns))
	args := []string{"-f", "-c", config, "--var=DBDIR=" + dir, "--var=RUNDIR=" + dir, "--var=LOGDIR=" + dir}
	if os.Getuid() == 0 {
		args = append(args, "-u", "_rspamd", "-g", "_rspamd")
	}
	daemon(t, addr, program, args...)
	request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), "POST", "http://"+addr+"/checkv2", bytes.NewReader(raw)))
	for name, value := range map[string]string{
		"IP": ip, "Helo": "mx.test.example", "Hostname": "mx.test.example", "From": "dibao@test.example", "Rcpt": "a@test.example",
	} {
		request.Header.Set(name, value)
	}
	response := must[*http.Response](t)(http.DefaultClient.Do(request))
	defer response.Body.Close()
	body := must[[]byte](t)(io.ReadAll(response.Body))
	var result struct {
		Score   float64
		Action  string
		Symbols map[string]struct {
			Score       float64
			Description string
			Options     []string
		}
	}
	if err := json.Unmarshal(body, &result); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	t.Logf("score %.2f, %s: %s", result.Score, result.Action, slices.Sorted(maps.Keys(result.Symbols)))
	for name, s := range result.Symbols {
		if s.Score > 0 && rspamdMay[name] == "" {
			t.Errorf("%s (%.2f): %s %q", name, s.Score, s.Description, s.Options)
		}
	}
	for _, name := range rspamdShould {
		if _, found := result.Symbols[name]; !found {
			t.Errorf("%s is not found", name)
		}
	}
	if trace := result.Symbols["R_DKIM_ALLOW"].Options; len(trace) != 2 {
		t.Errorf("of two signatures it verified %q", trace)
	}
}
