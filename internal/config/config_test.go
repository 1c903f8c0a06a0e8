package config

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite config.toml at the top of the repository")

func none(string) string { return "" }

func TestWrittenFileIsTheDefaults(t *testing.T) {
	for _, language := range []string{"en", "zh"} {
		t.Run(language, func(t *testing.T) { checkWritten(t, language) })
	}
}

func checkWritten(t *testing.T, language string) {
	var b bytes.Buffer
	if err := Write(&b, language); err != nil {
		t.Fatal(err)
	}
	// The file contains every key in a comment; without the comment marks it is valid.
	content := b.String()
	for _, k := range keys {
		if !strings.Contains(content, "# "+k.name) {
			t.Errorf("%s is not in the file", k.name)
		}
		if isChinese := strings.ContainsFunc(k.chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }); !isChinese && k.chinese != k.english && k.section != "log" {
			t.Errorf("the comment on %s in Chinese is %q", k.name, k.chinese)
		}
	}
	var live strings.Builder
	for line := range strings.SplitSeq(content, "\n") {
		if strings.Contains(line, " = ") && !strings.Contains(line, "_file") || strings.HasPrefix(line, "# [") {
			line = strings.TrimPrefix(line, "# ")
		}
		live.WriteString(line + "\n")
	}
	c, err := parse("config.toml", []byte(live.String()), none)
	if err != nil {
		t.Fatal(err)
	}
	d, err := parse("", nil, none)
	if _, ok := c.Mail.Limits["qq.com"]; !ok {
		t.Error("the file has no example of limits for a domain")
	}
	if err != nil || c.Server.Addr != d.Server.Addr || c.Schedule.Zone.String() != "Asia/Shanghai" || d.Mail.TLS != "required" {
		t.Fatalf("%v; %+v is not %+v", err, c, d)
	}
}

// TestRepositoryFileIsTheWrittenFile checks that the commented config.toml at the top of
// the repository is what "dibao init" writes.
func TestRepositoryFileIsTheWrittenFile(t *testing.T) {
	const file = "../../config.toml"
	var b bytes.Buffer
	if err := Write(&b, "en"); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("config.toml is out of date; run: go test ./internal/config -update\n%s", diff)
	}
}

func TestMistakesAreToldTogether(t *testing.T) {
	_, err := parse("c.toml", []byte("[server]\naddr = \"nonsense\"\nbase_ulr = \"x\"\n[mail]\nport = 0\ntls = \"maybe\"\n[extra]\nx = 1\n[schedule]\nzone = \"Mars\"\n"), none)
	if err == nil {
		t.Fatal("the value was accepted")
	}
	for _, want := range []string{
		`c.toml:2: addr in [server]: "nonsense" is not HOST:PORT`, `c.toml:3: unknown key "base_ulr" in [server]; did you mean "base_url"?`,
		"c.toml:5: port in [mail]", "c.toml:6: tls in [mail]", "c.toml:7: unknown section [extra]", "c.toml:10: zone in [schedule]",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in:\n%v", want, err)
		}
	}
}

func TestEnvironmentAndSecretFiles(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := parse("c.toml", []byte("[mail]\npassword_file = \""+secret+"\"\nport = 25\n"), func(k string) string {
		return map[string]string{"DIBAO_MAIL_PORT": "465", "DIBAO_SERVER_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1"}[k]
	})
	if err != nil || c.Mail.Password != "geheim" || c.Mail.Port != 465 || len(c.Server.TrustedProxies) != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	_, err = parse("c.toml", nil, func(k string) string { return map[string]string{"DIBAO_DKIM_KEY_FILE": "/nowhere"}[k] })
	if err == nil || !strings.Contains(err.Error(), "DIBAO_DKIM_KEY_FILE") {
		t.Fatalf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("[server]\naddr = \"127.0.0.1:1\"\n"))
	f.Add([]byte("[mail]\npassword = 1\nx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parse("c.toml", b, none)
		if err == nil && (c.Schedule.Zone == nil || c.Server.BaseURL == "" || c.Mail.Port < 1) {
			t.Fatalf("%q gives %+v without an error", b, c)
		}
	})
}

func TestNameOfTheSite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "邸报", "[server]\nname = \" 云川政策简报 \"\n": "云川政策简报"} {
		c, err := parse("c.toml", []byte(text), none)
		if err != nil || c.Server.Name != want {
			t.Errorf("%q: name %q (%v), want %q", text, c.Server.Name, err, want)
		}
	}
	for _, name := range []string{"", "一\nBcc: x@example.org", strings.Repeat("长", 41)} {
		if _, err := parse("c.toml", []byte(fmt.Sprintf("[server]\nname = %q\n", name)), none); err == nil {
			t.Errorf("the name %q was accepted", name)
		}
	}
}
